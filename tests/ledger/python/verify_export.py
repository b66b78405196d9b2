#!/usr/bin/env python3
"""Verifies an exported ledger. It knows docs/ledger-format.md and nothing else.

    verify_export.py FILE --key KEY [--key KEY ...] [--since CHECKPOINT_FILE]
    verify_export.py --proof FILE --key KEY [--key KEY ...]

Exit code: 0 sound, 1 damaged, 2 could not tell.
"""
import argparse
import base64
import binascii
import hashlib
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


class Key:
    def __init__(self, text):
        self.name, key_id, encoded = text.strip().split("+", 2)
        data = unbase64(encoded)
        self.id, self.public = bytes.fromhex(key_id), data[1:]
        require(len(data) == 33 and data[0] == 1, "the verifier key is not of Ed25519")
        require(self.id == sha256(self.name.encode(), b"\n", data)[:4], "the id of the verifier key is wrong")


def open_note(note, keys):
    """The text of the note, if one of the keys has signed it, and the names and ids of the keys of its signatures."""
    require(isinstance(note, str) and note.endswith("\n") and "\n\n" in note, "not a signed note")
    require(not re.search("[\x00-\x09\x0b-\x1f\ufffd\ud800-\udfff]", note), "a note with control characters")
    text, _, lines = note.rpartition("\n\n")
    text, lines = text + "\n", lines[:-1].split("\n")
    signed, signers = False, []
    for line in lines:
        match = re.fullmatch("\u2014 ([^\\s+]+) (\\S+)", line)
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
    text, _ = open_note(note, keys)
    lines = text.split("\n")
    require(len(lines) >= 4 and "" not in lines[:-1], "a checkpoint has three lines")
    origin, size, root = lines[0], lines[1], unbase64(lines[2])
    require(re.fullmatch("0|[1-9][0-9]{0,15}", size) and int(size) < 2**53, "the size of a checkpoint")
    require(len(root) == 32, "the root of a checkpoint")
    require(any(key.name == origin for key in keys), "a checkpoint of another log")
    return origin, int(size), root


# --- Entries: sections 1 and 2 ------------------------------------------------------------------------------------------

DOUBLE, STRING, DOCUMENT, ARRAY, OBJECT_ID, BOOLEAN, DATE = 1, 2, 3, 4, 7, 8, 9
READING = [(name, DOUBLE, True) for name in
           ("powerW", "energyWh", "counterQuantumWh", "counterWidthWh", "maximumPower")]
ADJUSTMENT = [(name, DOUBLE, False) for name in ("energyWs", "productionWs", "cost")]
METADATA = [("source", STRING, False), ("firmwareVersion", STRING, True), ("voltage", DOUBLE, True),
            ("current", DOUBLE, True), ("powerFactor", DOUBLE, True), ("temperature", DOUBLE, True),
            ("bootId", STRING, True), ("deviceSequence", DOUBLE, True), ("originalRecordId", STRING, True)]
ENTRY = [("_id", OBJECT_ID, False), ("formatVersion", DOUBLE, False), ("switchId", OBJECT_ID, False),
         ("sequence", DOUBLE, False), ("deviceId", OBJECT_ID, False), ("classroom", OBJECT_ID, False),
         ("timestamp", DATE, False), ("receivedAt", DATE, False), ("eventType", STRING, False),
         ("powerState", BOOLEAN, False), ("powerRating", DOUBLE, False), ("energySource", STRING, False),
         ("energyDirection", STRING, True), ("reading", DOCUMENT, True), ("adjustment", DOCUMENT, True),
         ("erases", STRING, True),
         ("gapLimitMs", DOUBLE, False), ("silentSince", DATE, True), ("ratePerKwh", DOUBLE, False),
         ("flags", ARRAY, False), ("metadata", DOCUMENT, False), ("personalCommitment", STRING, True),
         ("idempotencyKey", STRING, False), ("cumulativeEnergy", DOUBLE, False),
         ("cumulativeProduction", DOUBLE, False), ("calculatedCost", DOUBLE, False),
         ("previousHash", STRING, False), ("hash", STRING, False)]
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
            left.pop(0)
        if kind in (STRING, DOCUMENT, ARRAY):
            length = struct.unpack_from("<i", data, at)[0] + (4 if kind == STRING else 0)
        else:
            length = {DOUBLE: 8, OBJECT_ID: 12, BOOLEAN: 1, DATE: 8}[kind]
        value, at = data[at:at + length], at + length
        require(at < len(data), "the field %s is cut off" % name)
        if kind == DOUBLE:
            values[name] = struct.unpack("<d", value)[0]
        elif kind == STRING:
            require(length >= 5 and value[-1] == 0, "the text %s" % name)
            values[name] = value[4:-1].decode()
        elif kind in (DOCUMENT, ARRAY):
            values[name] = parse_document(value, INSIDE.get(name))
        else:
            require(kind != BOOLEAN or value in (b"\0", b"\1"), "the boolean %s" % name)
            values[name] = value
    require(all(optional for _, _, optional in left), "a field is missing")
    return values


def open_entry(data):
    try:
        entry = parse_document(data, ENTRY)
    except (ValueError, struct.error, UnicodeDecodeError, KeyError) as error:
        raise Damaged("an entry: %s" % error)
    require(entry["formatVersion"] == 1, "an unknown version")
    require(("adjustment" in entry) == (entry["eventType"] == "manual_adjustment"), "an adjustment")
    require(("erases" in entry) == (entry["eventType"] == "erasure"), "an erasure")
    body = struct.pack("<i", len(data) - 75) + data[4:-76] + b"\0"
    leaf = sha256(b"\0autovolt-ledger-entry\n", body)
    require(entry["hash"] == leaf.hex(), "an entry does not have the hash that it carries")
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
    if first == 0:
        return hashes == [] and first_root == sha256()
    if first == second:
        return hashes == [] and first_root == second_root
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


def verify_proof(text, keys):
    proof = json.loads(text)
    hashes = [unbase64(hash) for hash in proof["hashes"]]
    if proof["kind"] == "inclusion":
        _, size, root = open_checkpoint(proof["checkpoint"], keys)
        _, leaf = open_entry(unbase64(proof["entry"]))
        require(proves_inclusion(proof["leafIndex"], size, leaf, hashes, root), "the entry is not in the tree")
    else:
        require(proof["kind"] == "consistency", "the kind of the proof")
        (_, first, first_root), (_, second, second_root) = (
            open_checkpoint(proof["from"], keys), open_checkpoint(proof["to"], keys))
        require(proves_consistency(first, second, first_root, second_root, hashes), "the trees are not consistent")


# --- The file: section 8 ------------------------------------------------------------------------------------------------


def parse_line(line):
    try:
        value = json.loads(line.decode())
    except (ValueError, UnicodeDecodeError) as error:
        raise Damaged("a line that is no JSON: %s" % error)
    require(isinstance(value, dict) and len(value) == 1 and line.endswith(b"\n"), "a line with other than one member")
    return next(iter(value.items()))


def is_export(file):
    """Whether the first line, or a digest that closes the file, names the format."""
    start = ('{"digest":"%s\\n' % FORMAT).encode()
    return any((number == 0 and ('"%s"' % FORMAT).encode() in line) or line.startswith(start)
               for number, line in enumerate(file))


def verify_digest(line, header, digest, keys):
    kind, note = parse_line(line)
    require(kind == "digest" and isinstance(note, str), "the last line is no digest")
    exact = json.dumps({"digest": note}, ensure_ascii=False, separators=(",", ":")) + "\n"
    require(exact.encode() == line, "the digest is written in another way")
    text, signers = open_note(note, keys)
    require(all(name == header["origin"] for name, _ in signers), "a signature of another log")
    lines = [FORMAT, header["origin"], "%d %d" % (header["fromSize"], header["size"]), base64.b64encode(digest).decode()]
    if len(signers) > 1:
        lines.append(" ".join(key_id.hex() for _, key_id in signers))
    require(text == "".join(line + "\n" for line in lines), "the digest is of another file")


def verify_file(file, keys, known):
    sha, header, tree, chains, last = hashlib.sha256(), None, None, {}, None
    lines = iter(file)
    for line in lines:
        kind, value = parse_line(line)
        if kind == "digest":
            break
        sha.update(line)
        if header is None:
            require(kind == "header" and isinstance(value, dict) and value.get("format") == FORMAT, "the first line")
            header = value
            first = header["fromSize"]
            require(all(type(header[name]) is int and 0 <= header[name] < 2**53 for name in ("fromSize", "size")), "sizes")
            require(header["origin"] in [key.name for key in keys], "a file of another log")
            tree = Tree(first, [unbase64(root) for root in header["frontier"]])
        elif kind == "entry":
            entry, leaf = open_entry(unbase64(value))
            before = chains.get(entry["switchId"])
            if before is not None or first == 0:
                sequence, previous = before or (0, "0" * 64)
                require((entry["sequence"], entry["previousHash"]) == (sequence + 1, previous), "a chain is not linked")
            chains[entry["switchId"]] = entry["sequence"], entry["hash"]
            tree.append(leaf)
        elif kind == "checkpoint":
            origin, *last = open_checkpoint(value, keys)
            require([origin, *last] == [header["origin"], tree.size, tree.root()], "a checkpoint is of another tree")
        elif kind == "personal":
            require(isinstance(value, dict) and re.fullmatch("[0-9a-f]{64}", value["salt"]), "a salt")
            commitment = sha256(b"autovolt-ledger-personal\n", bytes.fromhex(value["salt"]), value["text"].encode())
            require(commitment.hex() == value["commitment"], "personal data is not what was committed to")
        else:
            raise Damaged("a line of no known kind: %s" % kind)
        if known is not None and tree.size == known[1]:
            require(tree.root() == known[2], "the file does not go on from the known checkpoint")
            known = None
    else:
        raise Damaged("the file ends without a digest")
    require(header is not None, "the file has no first line")
    verify_digest(line, header, sha.digest(), keys)
    require(next(lines, None) is None, "there is something after the digest")
    require(last is not None and last[0] == header["size"] == tree.size, "the file is not complete")
    require(known is None or known[1] < first, "the file ends before the known checkpoint")
    return tree.size - first, len(chains)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("file")
    parser.add_argument("--key", action="append", required=True)
    parser.add_argument("--since")
    parser.add_argument("--proof", action="store_true")
    options = parser.parse_args()
    try:
        keys = [Key(key) for key in options.key]
        known = None
        if options.since is not None:
            with open(options.since, encoding="utf-8", newline="") as file:
                known = open_checkpoint(file.read(), keys)
        with open(options.file, "rb") as file:
            if not options.proof and not is_export(file):
                raise ValueError("the file is no export of a format that is known here")
    except (Damaged, OSError, ValueError) as error:
        print("could not tell: %s" % error)
        return 2
    try:
        if options.proof:
            with open(options.file, encoding="utf-8") as file:
                verify_proof(file.read(), keys)
            print("sound")
            return 0
        with open(options.file, "rb") as file:
            entries, chains = verify_file(file, keys, known)
        if entries == 0:
            print("could not tell: there are no entries")
            return 2
        print("sound: %d entries, %d chains" % (entries, chains))
        return 0
    except (Damaged, KeyError, TypeError, AttributeError, ValueError) as error:
        print("damaged: %r" % error)
        return 1


if __name__ == "__main__":
    sys.exit(main())
