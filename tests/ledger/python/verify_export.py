#!/usr/bin/env python3
"""Verifies an exported ledger. It knows docs/ledger-format.md and nothing else.

    verify_export.py FILE ... --key KEY [--key KEY ...] [--since CHECKPOINT_FILE]
    verify_export.py --proof FILE --key KEY [--key KEY ...]
    verify_export.py --batch < CASES

Exit code: 0 sound, 1 damaged, 2 could not tell. With --batch each line of the input is a case in JSON, and each line of the
output begins with its exit code.
"""
import argparse
import base64
import binascii
import hashlib
import io
import json
import re
import struct
import sys

FORMAT = "autovolt-ledger-export/1"


class Damaged(Exception):
    pass


def require(condition, what):
    if not condition:
        raise Damaged(what)


def sha256(*parts):
    return hashlib.sha256(b"".join(parts)).digest()


def unbase64(text):
    require(isinstance(text, str), "a text in base64 is none")
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise Damaged("base64: %s" % error)
    require(base64.b64encode(data).decode() == text, "base64 that is not canonical")
    return data


# --- Ed25519, RFC 8032, section 5.1.7 -----------------------------------------------------------------------------------

P = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P
ROOT_OF_MINUS_ONE = pow(2, (P - 1) // 4, P)


def point_add(a, b):
    e = (a[1] - a[0]) * (b[1] - b[0]) % P
    f = (a[1] + a[0]) * (b[1] + b[0]) % P
    g = 2 * a[3] * b[3] * D % P
    h = 2 * a[2] * b[2] % P
    x, y, z, t = f - e, h - g, h + g, f + e
    return x * y % P, t * z % P, y * z % P, x * t % P


def point_multiply(scalar, point):
    result = (0, 1, 1, 0)
    while scalar > 0:
        if scalar & 1:
            result = point_add(result, point)
        point = point_add(point, point)
        scalar >>= 1
    return result


def point_decode(data):
    y = int.from_bytes(data, "little")
    sign, y = y >> 255, y & (2**255 - 1)
    if y >= P:
        return None
    square = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    x = pow(square, (P + 3) // 8, P)
    if (x * x - square) % P != 0:
        x = x * ROOT_OF_MINUS_ONE % P
    if (x * x - square) % P != 0 or (x == 0 and sign == 1):
        return None
    if x & 1 != sign:
        x = P - x
    return x, y, 1, x * y % P


BASE = point_decode((4 * pow(5, P - 2, P) % P).to_bytes(32, "little"))


def ed25519_verifies(public, message, signature):
    if len(public) != 32 or len(signature) != 64:
        return False
    a, r = point_decode(public), point_decode(signature[:32])
    s = int.from_bytes(signature[32:], "little")
    if a is None or r is None or s >= L:
        return False
    k = int.from_bytes(hashlib.sha512(signature[:32] + public + message).digest(), "little") % L
    left, right = point_multiply(s, BASE), point_add(r, point_multiply(k, a))
    return (left[0] * right[2] - right[0] * left[2]) % P == 0 and (left[1] * right[2] - right[1] * left[2]) % P == 0


# --- Signed notes and checkpoints: section 5 ----------------------------------------------------------------------------


# Neither Unicode's spaces nor control characters, no plus sign, no byte-order mark.
NAME = "[^\\s+\x00-\x1f\x7f-\x9f\ufeff\ufffd\ud800-\udfff]{1,200}"
# What may stand around a key.
SPACE = "\t\n\v\f\r \u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000\ufeff"
LONGEST_LINE, LONGEST_HEADER, LONGEST_NOTE = 4_194_304, 8192, 2_000_100


class Key:
    def __init__(self, text):
        self.name, key_id, encoded = text.strip(SPACE).split("+", 2)
        require(re.fullmatch(NAME, self.name) and re.fullmatch("[0-9a-f]{8}", key_id), "the form of the verifier key")
        data = unbase64(encoded)
        self.id, self.public = bytes.fromhex(key_id), data[1:]
        require(len(data) == 33 and data[0] == 1, "the verifier key is not of Ed25519")
        require(self.id == sha256(self.name.encode(), b"\n", data)[:4], "the id of the verifier key is wrong")


def open_note(note, keys):
    """The text of the note, if one of the keys has signed it, and the names and ids of the keys of its signatures."""
    require(isinstance(note, str) and note.endswith("\n") and "\n\n" in note, "not a signed note")
    require(len(note.encode("utf-16-le", "surrogatepass")) <= 2_000_000, "a note that is too long")
    require(not re.search("[\x00-\x09\x0b-\x1f\ufffd\ud800-\udfff]", note), "a note with control characters")
    require(not note.startswith("\ufeff"), "a note with a byte-order mark")
    text, _, lines = note.rpartition("\n\n")
    text, lines = text + "\n", lines[:-1].split("\n")
    require(len(lines) <= 100, "too many signatures")
    signed, signers = False, []
    for line in lines:
        match = re.fullmatch("\u2014 (%s) ([^ ]+)" % NAME, line)
        require(match, "a signature line that is none")
        data = unbase64(match[2])
        require(len(data) >= 5, "a signature that is too short")
        signers.append((match[1], data[:4]))
        for key in keys:
            if key.name == match[1] and key.id == data[:4]:
                require(ed25519_verifies(key.public, text.encode(), data[4:]), "a signature is wrong")
                signed = True
    require(signed, "no known key has signed")
    return text, signers


def open_checkpoint(note, keys):
    require(isinstance(note, str), "not a signed note")
    text, _ = open_note(note, [key for key in keys if key.name == note.split("\n")[0]])
    lines = text.split("\n")
    require(len(lines) >= 4 and "" not in lines[:-1], "a checkpoint has three lines")
    origin, size, root = lines[0], lines[1], unbase64(lines[2])
    require(re.fullmatch("0|[1-9][0-9]{0,15}", size) and int(size) < 2**53, "the size of a checkpoint")
    require(len(root) == 32, "the root of a checkpoint")
    require(any(key.name == origin for key in keys), "a checkpoint of another log")
    return origin, int(size), root


# --- Entries: sections 1 and 2 ------------------------------------------------------------------------------------------

DOUBLE, STRING, DOCUMENT, ARRAY, BINARY, OBJECT_ID, BOOLEAN, DATE = 1, 2, 3, 4, 5, 7, 8, 9
SAFE = 2**53 - 1


def number(low, high):
    return lambda value: low <= value <= high


def integer(low, high):
    return lambda value: low <= value <= high and value == int(value)


def one_of(*texts):
    return lambda value: value in texts


def characters(fewest, most):
    return lambda value: fewest <= len(value) <= most


def anything(value):
    return True


def date(value):
    return abs(struct.unpack("<q", value)[0]) <= 8_640_000_000_000_000


FLAGS = ["late", "clock_replaced", "clock_ambiguous", "estimated", "snapshot", "reboot", "placed"]
READING = [("powerW", DOUBLE, True, number(-1e9, 1e9)), ("energyWh", DOUBLE, True, number(0, 1e15)),
           ("counterQuantumWh", DOUBLE, True, number(0, 1e6)), ("counterWidthWh", DOUBLE, True, number(0, 1e15)),
           ("maximumPower", DOUBLE, True, number(1, 1e9))]
ADJUSTMENT = [("energyWs", DOUBLE, False, number(-8e12, 8e12)), ("productionWs", DOUBLE, False, number(-8e12, 8e12)),
              ("cost", DOUBLE, False, number(-1e9, 1e9))]
METADATA = [("source", STRING, False, one_of("mqtt", "api", "manual", "calculated", "migration")),
            ("firmwareVersion", STRING, True, characters(0, 100)), ("voltage", DOUBLE, True, number(-1e6, 1e6)),
            ("current", DOUBLE, True, number(-1e6, 1e6)), ("powerFactor", DOUBLE, True, number(-1, 1)),
            ("temperature", DOUBLE, True, number(-273.15, 1e4)), ("bootId", STRING, True, characters(1, 64)),
            ("deviceSequence", DOUBLE, True, integer(0, SAFE)), ("originalRecordId", STRING, True, characters(0, 200))]
ENTRY = [("_id", OBJECT_ID, False, anything), ("formatVersion", DOUBLE, False, number(1, 1)),
         ("switchId", OBJECT_ID, False, anything), ("sequence", DOUBLE, False, integer(1, SAFE)),
         ("deviceId", OBJECT_ID, False, anything), ("classroom", OBJECT_ID, False, anything),
         ("timestamp", DATE, False, date), ("receivedAt", DATE, False, date),
         ("eventType", STRING, False, one_of("switch_on", "switch_off", "power_reading", "refused_reading", "sign_of_life",
                                             "restart", "manual_adjustment", "erasure")),
         ("powerState", BOOLEAN, False, anything), ("powerRating", DOUBLE, False, number(0, 1e6)),
         ("energySource", STRING, False, one_of("counter", "power", "rated")),
         ("energyDirection", STRING, True, one_of("production")), ("reading", DOCUMENT, True, anything),
         ("adjustment", DOCUMENT, True, anything), ("erases", BINARY, True, anything),
         ("gapLimitMs", DOUBLE, False, integer(1000, 1e9)), ("silentSince", DATE, True, date),
         ("ratePerKwh", DOUBLE, False, number(-1e6, 1e6)), ("flags", ARRAY, False, anything),
         ("metadata", DOCUMENT, False, anything), ("personalCommitment", BINARY, True, anything),
         ("idempotencyKey", STRING, False, characters(1, 200)), ("cumulativeEnergy", DOUBLE, False, number(-8e12, 8e12)),
         ("cumulativeProduction", DOUBLE, False, number(-8e12, 8e12)),
         ("calculatedCost", DOUBLE, False, number(-1e12, 1e12)), ("previousHash", BINARY, False, anything),
         ("hash", BINARY, False, anything)]
INSIDE = {"reading": READING, "adjustment": ADJUSTMENT, "metadata": METADATA}


def parse_document(data, fields):
    """The values of the fields, which have to be there in this order and type."""
    require(len(data) >= 5 and struct.unpack_from("<i", data)[0] == len(data) and data[-1] == 0, "a document's length")
    at, values, left = 4, {}, list(fields or [])
    while at < len(data) - 1:
        kind, end = data[at], data.index(0, at + 1)
        name, at = data[at + 1:end].decode(), end + 1
        if fields is None:  # An array of strings.
            require(kind == STRING and name == str(len(values)), "the element %s of an array" % name)
        else:
            while left and left[0][0] != name and left[0][2]:
                left.pop(0)
            require(left and left[0][:2] == (name, kind), "the field %s is not in its place" % name)
            check = left.pop(0)[3]
        if kind in (STRING, DOCUMENT, ARRAY, BINARY):
            length = struct.unpack_from("<i", data, at)[0] + {STRING: 4, BINARY: 5}.get(kind, 0)
        else:
            length = {DOUBLE: 8, OBJECT_ID: 12, BOOLEAN: 1, DATE: 8}[kind]
        value, at = data[at:at + length], at + length
        require(at < len(data), "the field %s is cut off" % name)
        if kind == DOUBLE:
            values[name] = struct.unpack("<d", value)[0]
        elif kind == STRING:
            require(length >= 5 and value[-1] == 0, "the text %s" % name)
            values[name] = value[4:-1].decode()
        elif kind == BINARY:
            require(length == 37 and value[4] == 0, "the hash %s" % name)
            values[name] = value[5:]
        elif kind in (DOCUMENT, ARRAY):
            values[name] = parse_document(value, INSIDE.get(name))
        else:
            require(kind != BOOLEAN or value in (b"\0", b"\1"), "the boolean %s" % name)
            values[name] = value
        require(fields is None or check(values[name]), "the value of %s" % name)
    require(all(optional for _, _, optional, _ in left), "a field is missing")
    return values


def open_entry(data):
    try:
        entry = parse_document(data, ENTRY)
    except (ValueError, struct.error, UnicodeDecodeError, KeyError) as error:
        raise Damaged("an entry: %s" % error)
    kind, reading, flags = entry["eventType"], entry.get("reading"), list(entry["flags"].values())
    require(flags == [flag for flag in FLAGS if flag in flags], "the flags")
    require(kind not in ("switch_on", "switch_off") or (entry["powerState"] == b"\1") == (kind == "switch_on"), "the state")
    require(kind != "refused_reading" or reading is None, "a refused reading has one")
    require(kind != "power_reading" or (reading and ("powerW" in reading or "energyWh" in reading)), "a reading of nothing")
    require(kind != "erasure" or entry["idempotencyKey"] == "erasure:" + entry.get("erases", b"").hex(), "an erasure")
    require(entry["sequence"] != 1 or entry["previousHash"] == bytes(32), "a first entry that goes on from another")
    require(("adjustment" in entry) == (entry["eventType"] == "manual_adjustment"), "an adjustment")
    require(("erases" in entry) == (entry["eventType"] == "erasure"), "an erasure")
    body = struct.pack("<i", len(data) - 43) + data[4:-44] + b"\0"
    leaf = sha256(b"\0autovolt-ledger-entry\n", body)
    require(entry["hash"] == leaf, "an entry does not have the hash that it carries")
    return entry, leaf


# --- The tree: section 4 and RFC 9162 -----------------------------------------------------------------------------------


def node(left, right):
    return sha256(b"\1", left, right)


class Tree:
    def __init__(self, size, roots):
        require(len(roots) == bin(size).count("1") and all(len(root) == 32 for root in roots), "the frontier")
        self.size, self.roots = size, list(roots)

    def append(self, leaf):
        size = self.size
        while size & 1:
            leaf, size = node(self.roots.pop(), leaf), size >> 1
        self.roots.append(leaf)
        self.size += 1

    def root(self):
        if not self.roots:
            return sha256()
        root = self.roots[-1]
        for left in reversed(self.roots[:-1]):
            root = node(left, root)
        return root


def proves_inclusion(index, size, leaf, hashes, root):
    if not 0 <= index < size:
        return False
    fn, sn, r = index, size - 1, leaf
    for p in hashes:
        if sn == 0 or len(p) != 32:
            return False
        if fn & 1 or fn == sn:
            r = node(p, r)
            while not fn & 1 and fn != 0:
                fn, sn = fn >> 1, sn >> 1
        else:
            r = node(r, p)
        fn, sn = fn >> 1, sn >> 1
    return sn == 0 and r == root


def proves_consistency(first, second, first_root, second_root, hashes):
    if first == 0 and first_root != sha256():
        return False
    if first == second:
        return hashes == [] and first_root == second_root
    if first == 0:
        return hashes == []
    if first > second or not hashes or any(len(p) != 32 for p in hashes):
        return False
    path = ([first_root] if first & (first - 1) == 0 else []) + hashes
    fn, sn = first - 1, second - 1
    while fn & 1:
        fn, sn = fn >> 1, sn >> 1
    fr = sr = path[0]
    for c in path[1:]:
        if sn == 0:
            return False
        if fn & 1 or fn == sn:
            fr, sr = node(c, fr), node(c, sr)
            while not fn & 1 and fn != 0:
                fn, sn = fn >> 1, sn >> 1
        else:
            sr = node(sr, c)
        fn, sn = fn >> 1, sn >> 1
    return sn == 0 and fr == first_root and sr == second_root


def canonical(value):
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def is_integer(value):
    return type(value) is int and 0 <= value <= SAFE


def parse_proof(data):
    text = data.decode()
    require(len(text.encode("utf-16-le")) <= 8_200_000, "a proof that is too long")
    proof = json.loads(text)
    tokens = re.sub(r'"(?:[^"\\]|\\.)*"|[ \t\r\n]+', lambda match: match[0] if match[0][0] == '"' else "", text)
    require(isinstance(proof, dict) and canonical(proof) == tokens, "a proof that is written in another way")
    return proof


def verify_proof(data, keys):
    proof = parse_proof(data)
    require(isinstance(proof["hashes"], list) and len(proof["hashes"]) <= 64, "the hashes")
    hashes = [unbase64(hash) for hash in proof["hashes"]]
    require(all(len(hash) == 32 for hash in hashes), "a hash")
    if proof["kind"] == "inclusion":
        require(list(proof) == ["kind", "entry", "leafIndex", "hashes", "checkpoint"], "the members of a proof")
        require(is_integer(proof["leafIndex"]), "an index")
        _, size, root = open_checkpoint(proof["checkpoint"], keys)
        _, leaf = open_entry(unbase64(proof["entry"]))
        require(proves_inclusion(proof["leafIndex"], size, leaf, hashes, root), "the entry is not in the tree")
    else:
        require(list(proof) == ["kind", "from", "to", "hashes"] and proof["kind"] == "consistency", "the kind of the proof")
        (from_origin, first, first_root), (to_origin, second, second_root) = (
            open_checkpoint(proof["from"], keys), open_checkpoint(proof["to"], keys))
        require(from_origin == to_origin, "checkpoints of two logs")
        require(proves_consistency(first, second, first_root, second_root, hashes), "the trees are not consistent")


# --- The file: section 8 ------------------------------------------------------------------------------------------------


def parse_line(line):
    """The one member of a line, which has one form to the byte."""
    require(len(line) <= LONGEST_LINE, "a line that is too long")
    try:
        value = json.loads(line.decode())
        require(isinstance(value, dict) and len(value) == 1, "a line with other than one member")
        require((canonical(value) + "\n").encode() == line, "a line that is written in another way")
    except (ValueError, RecursionError) as error:
        raise Damaged("a line that is no JSON: %s" % error)
    (kind, content), = value.items()
    if kind in ("header", "personal"):
        names = {"header": HEADER, "personal": ["commitment", "salt", "text"]}[kind]
        require(isinstance(content, dict) and list(content) == names, "the members of a line")
    require(kind != "header" or len(line) <= LONGEST_HEADER, "a first line that is too long")
    require(kind not in ("checkpoint", "digest") or len(line) <= LONGEST_NOTE, "a note that is too long")
    return kind, content


HEADER = ["format", "origin", "fromSize", "frontier", "size"]


def is_export(file):
    """Whether the first line, or a digest that closes the file, names the format."""
    start = ('{"digest":"%s\\n' % FORMAT).encode()
    return any((number == 0 and ('"%s"' % FORMAT).encode() in line[:LONGEST_LINE]) or line.startswith(start)
               for number, line in enumerate(file))


def verify_digest(line, header, digest, keys):
    kind, note = parse_line(line)
    require(kind == "digest" and isinstance(note, str), "the last line is no digest")
    text, signers = open_note(note, keys)
    require(all(name == header["origin"] for name, _ in signers), "a signature of another log")
    require(len(set(signers)) == len(signers), "a digest that a key has signed twice")
    lines = [FORMAT, header["origin"], "%d %d" % (header["fromSize"], header["size"]), base64.b64encode(digest).decode()]
    if len(signers) > 1:
        lines.append(" ".join(key_id.hex() for _, key_id in signers))
    require(text == "".join(line + "\n" for line in lines), "the digest is of another file")


class Ledger:
    """What is known of the files that were read so far."""

    def __init__(self, keys, known):
        self.keys, self.known, self.chains, self.tree, self.first, self.entries = keys, known, {}, None, 0, 0

    def begin(self, kind, header):
        require(kind == "header" and header["format"] == FORMAT, "the first line")
        require(all(is_integer(header[name]) for name in ("fromSize", "size")), "sizes")
        require(header["origin"] in [key.name for key in self.keys], "a file of another log")
        require(isinstance(header["frontier"], list), "the frontier")
        tree = Tree(header["fromSize"], [unbase64(root) for root in header["frontier"]])
        if self.tree is None:
            self.first = tree.size
            if self.known is not None and self.known[1] < tree.size:
                self.known = None
        else:
            require((self.tree.size, self.tree.root()) == (tree.size, tree.root()), "a file does not go on from the last")
        self.tree = tree

    def take_entry(self, value):
        entry, leaf = open_entry(unbase64(value))
        before = self.chains.get(entry["switchId"])
        if before is not None or self.first == 0:
            sequence, previous = before or (0, bytes(32))
            require((entry["sequence"], entry["previousHash"]) == (sequence + 1, previous), "a chain is not linked")
        self.chains[entry["switchId"]] = entry["sequence"], entry["hash"]
        self.tree.append(leaf)
        self.entries += 1

    def compare_known(self):
        if self.known is not None and self.tree.size == self.known[1]:
            require(self.tree.root() == self.known[2], "the file does not go on from the known checkpoint")
            self.known = None

    def take_file(self, file):
        sha, header, last = hashlib.sha256(), None, None
        lines = iter(file)
        for line in lines:
            kind, value = parse_line(line)
            if kind == "digest":
                break
            sha.update(line)
            if header is None:
                self.begin(kind, value)
                header = value
            elif kind == "entry":
                self.take_entry(value)
            elif kind == "checkpoint":
                origin, *last = open_checkpoint(value, self.keys)
                require([origin, *last] == [header["origin"], self.tree.size, self.tree.root()], "a checkpoint of another tree")
            elif kind == "personal":
                require(all(re.fullmatch("[0-9a-f]{64}", value[name]) for name in ("salt", "commitment")), "a salt")
                commitment = sha256(b"autovolt-ledger-personal\n", bytes.fromhex(value["salt"]), value["text"].encode())
                require(commitment.hex() == value["commitment"], "personal data is not what was committed to")
            else:
                raise Damaged("a line of no known kind: %s" % kind)
            self.compare_known()
        else:
            raise Damaged("the file ends without a digest")
        require(header is not None, "the file has no first line")
        verify_digest(line, header, sha.digest(), self.keys)
        require(next(lines, None) is None, "there is something after the digest")
        require(last is not None and last[0] == header["size"] == self.tree.size, "the file is not complete")


def keys_of(texts):
    keys = [Key(text) for text in texts]
    require(len({key.name for key in keys}) == 1, "keys of one log are needed")
    require(len({key.id for key in keys}) == len({key.public for key in keys}), "two keys of one id")
    return keys


def range_of(file):
    """Where a file begins and ends in the tree."""
    try:
        kind, header = parse_line(file[0])
        require(kind == "header" and is_integer(header["fromSize"]) and is_integer(header["size"]), "the first line")
        return header["fromSize"], header["size"]
    except Damaged:
        return SAFE + 1, 0


def verdict_of(files, key_texts, known_note, proof=None):
    """The exit code, and why. Files are lists of lines. What is known from elsewhere says nothing of a proof."""
    try:
        keys = keys_of(key_texts)
        known = None if known_note is None or proof is not None else open_checkpoint(known_note, keys)
        if proof is None and not (files and all(is_export(file) for file in files)):
            return 2, "could not tell: a file is no export of a format that is known here"
    except (Damaged, ValueError) as error:
        return 2, "could not tell: %s" % error
    try:
        if proof is not None:
            verify_proof(proof, keys)
            return 0, "sound"
        ledger = Ledger(keys, known)
        for file in sorted(files, key=range_of):
            ledger.take_file(file)
        require(ledger.known is None, "the files end before the known checkpoint")
    except (Damaged, KeyError, TypeError, AttributeError, ValueError, RecursionError) as error:
        return 1, "damaged: %r" % error
    if ledger.entries == 0:
        return 2, "could not tell: there are no entries"
    return 0, "sound: %d entries, %d chains" % (ledger.entries, len(ledger.chains))


def lines_of(data):
    return io.BytesIO(data).readlines()


def batch():
    for line in sys.stdin:
        case = json.loads(line)
        files = [lines_of(base64.b64decode(file)) for file in case.get("files", [])]
        proof = base64.b64decode(case["proof"]) if "proof" in case else None
        code, why = verdict_of(files, case["keys"], case.get("known"), proof)
        print(code, why.encode("ascii", "backslashreplace").decode().replace("\n", " "), flush=True)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("files", nargs="*")
    parser.add_argument("--key", action="append", default=[])
    parser.add_argument("--since")
    parser.add_argument("--proof", action="store_true")
    parser.add_argument("--batch", action="store_true")
    options = parser.parse_args()
    if options.batch:
        batch()
        return 0
    try:
        known = None
        if options.since is not None:
            with open(options.since, encoding="utf-8", newline="") as file:
                known = file.read()
        contents = []
        for name in options.files:
            with open(name, "rb") as file:
                contents.append(file.read())
    except (OSError, ValueError) as error:
        print("could not tell: %s" % error)
        return 2
    proof = contents[0] if options.proof else None
    code, why = verdict_of([lines_of(data) for data in contents], options.key, known, proof)
    print(why)
    return code


if __name__ == "__main__":
    sys.exit(main())
