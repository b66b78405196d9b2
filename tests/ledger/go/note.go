package main

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"math/big"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Section 5 of the page: signed notes, keys and checkpoints.

type key struct {
	name   string
	id     string
	public ed25519.PublicKey
}

type signature struct {
	name string
	id   string
}

type checkpoint struct {
	origin string
	size   int64
	root   string
}

func unbase64(text string) []byte {
	data, err := base64.StdEncoding.Strict().DecodeString(text)
	require(err == nil && base64.StdEncoding.EncodeToString(data) == text, "base64 that is not canonical")
	return data
}

func isSpace(r rune) bool {
	switch {
	case r >= 0x09 && r <= 0x0d, r == 0x20, r == 0xa0, r == 0x1680, r >= 0x2000 && r <= 0x200a,
		r == 0x2028, r == 0x2029, r == 0x202f, r == 0x205f, r == 0x3000, r == 0xfeff:
		return true
	}
	return false
}

func isName(name string) bool {
	characters := utf8.RuneCountInString(name)
	if characters < 1 || characters > 200 {
		return false
	}
	for _, r := range name {
		if isSpace(r) || r == '+' || r < 0x20 || (r >= 0x7f && r <= 0x9f) || r == 0xfffd {
			return false
		}
	}
	return true
}

func parseKey(line string) key {
	parts := strings.SplitN(strings.TrimFunc(line, isSpace), "+", 3)
	require(len(parts) == 3 && isName(parts[0]), "a verifier key is name+id+base64")
	data := unbase64(parts[2])
	require(len(data) == 33 && data[0] == 1, "a verifier key of another kind")
	sum := sha256.Sum256(append([]byte(parts[0]+"\n"), data...))
	require(parts[1] == hex.EncodeToString(sum[:4]), "the id of a verifier key")
	return key{parts[0], string(sum[:4]), ed25519.PublicKey(data[1:])}
}

// isCanonical tells whether a point is encoded as RFC 8032, section 5.1.3, decodes it: crypto/ed25519 takes others, too.
func isCanonical(public []byte) bool {
	y := append([]byte{}, public...)
	y[31] &= 0x7f
	slices.Reverse(y)
	number := new(big.Int).SetBytes(y)
	prime := new(big.Int).Sub(new(big.Int).Lsh(big.NewInt(1), 255), big.NewInt(19))
	one := big.NewInt(1)
	hasNoX := number.Cmp(one) == 0 || number.Cmp(new(big.Int).Sub(prime, one)) == 0
	return number.Cmp(prime) < 0 && !(hasNoX && public[31]&0x80 != 0)
}

func (k key) verifies(text string, signature []byte) bool {
	return len(signature) == 64 && isCanonical(k.public) && ed25519.Verify(k.public, []byte(text), signature)
}

func utf16Length(text string) int {
	length := 0
	for _, r := range text {
		length++
		if r > 0xffff {
			length++
		}
	}
	return length
}

// openNote gives the text of a note that one of the keys has signed, and its signatures.
func openNote(note string, keys []key) (string, []signature) {
	require(utf8.ValidString(note) && utf16Length(note) <= 1_000_000, "a note that is too long or no UTF-8")
	require(!strings.HasPrefix(note, "\ufeff"), "a note with a byte-order mark")
	for _, r := range note {
		require((r >= 0x20 || r == '\n') && r != 0xfffd, "a note with control characters")
	}
	end := strings.LastIndex(note, "\n\n")
	require(end >= 0 && strings.HasSuffix(note, "\n"), "no signed note")
	text := note[:end+1]
	require(end+2 < len(note), "a note without signatures")
	lines := strings.Split(note[end+2:len(note)-1], "\n")
	require(len(lines) <= 100, "too many signatures")
	var signatures []signature
	isSigned := false
	for _, line := range lines {
		parts := strings.Split(line, " ")
		require(len(parts) == 3 && parts[0] == "\u2014" && isName(parts[1]), "a signature line that is none")
		data := unbase64(parts[2])
		require(len(data) >= 5, "a signature that is too short")
		id := string(data[:4])
		signatures = append(signatures, signature{parts[1], id})
		for _, key := range keys {
			if key.name == parts[1] && key.id == id {
				require(key.verifies(text, data[4:]), "a signature is wrong")
				isSigned = true
			}
		}
	}
	require(isSigned, "no known key has signed")
	return text, signatures
}

var sizePattern = regexp.MustCompile(`^(0|[1-9][0-9]{0,15})$`)

func parseSize(text string) int64 {
	require(sizePattern.MatchString(text), "a number")
	size, err := strconv.ParseInt(text, 10, 64)
	require(err == nil && size <= maximumInteger, "a number that is too large")
	return size
}

func openCheckpoint(note string, keys []key) checkpoint {
	var ofLog []key
	origin, _, _ := strings.Cut(note, "\n")
	for _, key := range keys {
		if key.name == origin {
			ofLog = append(ofLog, key)
		}
	}
	text, _ := openNote(note, ofLog)
	lines := strings.Split(strings.TrimSuffix(text, "\n"), "\n")
	require(len(lines) >= 3, "a checkpoint has three lines")
	for _, line := range lines {
		require(line != "", "a checkpoint has no empty line")
	}
	root := unbase64(lines[2])
	require(len(root) == 32, "the root of a checkpoint")
	return checkpoint{lines[0], parseSize(lines[1]), string(root)}
}

// Section 4 and RFC 9162: the tree.

func node(left, right string) string {
	sum := sha256.Sum256([]byte("\x01" + left + right))
	return string(sum[:])
}

func emptyRoot() string {
	sum := sha256.Sum256(nil)
	return string(sum[:])
}

type tree struct {
	size  int64
	roots []string
}

func (t *tree) append(leaf string) {
	for size := t.size; size&1 == 1; size >>= 1 {
		leaf = node(t.roots[len(t.roots)-1], leaf)
		t.roots = t.roots[:len(t.roots)-1]
	}
	t.roots = append(t.roots, leaf)
	t.size++
}

func (t *tree) root() string {
	if len(t.roots) == 0 {
		return emptyRoot()
	}
	root := t.roots[len(t.roots)-1]
	for at := len(t.roots) - 2; at >= 0; at-- {
		root = node(t.roots[at], root)
	}
	return root
}

func provesInclusion(index, size int64, leaf string, hashes []string, root string) bool {
	at, last := index, size-1
	if at > last {
		return false
	}
	r := leaf
	for _, h := range hashes {
		if last == 0 {
			return false
		}
		if at&1 == 1 || at == last {
			r = node(h, r)
			for at&1 == 0 && at != 0 {
				at, last = at>>1, last>>1
			}
		} else {
			r = node(r, h)
		}
		at, last = at>>1, last>>1
	}
	return last == 0 && r == root
}

func provesConsistency(from, to checkpoint, hashes []string) bool {
	if from.size == 0 && from.root != emptyRoot() {
		return false
	}
	if from.size == to.size {
		return len(hashes) == 0 && from.root == to.root
	}
	if from.size == 0 {
		return len(hashes) == 0
	}
	if from.size > to.size {
		return false
	}
	if from.size&(from.size-1) == 0 {
		hashes = append([]string{from.root}, hashes...)
	}
	if len(hashes) == 0 {
		return false
	}
	at, last := from.size-1, to.size-1
	for at&1 == 1 {
		at, last = at>>1, last>>1
	}
	f, t := hashes[0], hashes[0]
	for _, h := range hashes[1:] {
		if last == 0 {
			return false
		}
		if at&1 == 1 || at == last {
			f, t = node(h, f), node(h, t)
			for at&1 == 0 && at != 0 {
				at, last = at>>1, last>>1
			}
		} else {
			t = node(t, h)
		}
		at, last = at>>1, last>>1
	}
	return last == 0 && f == from.root && t == to.root
}

func commitmentOf(salt []byte, text string) string {
	var input bytes.Buffer
	input.WriteString("autovolt-ledger-personal\n")
	input.Write(salt)
	input.WriteString(text)
	sum := sha256.Sum256(input.Bytes())
	return hex.EncodeToString(sum[:])
}
