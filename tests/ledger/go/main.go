// Verifies exported ledgers and proofs. It was written from docs/ledger-format.md alone, with nothing but the standard
// library of Go.
//
//	go run . FILE ... --key KEY [--key KEY ...] [--since CHECKPOINT_FILE]
//	go run . --proof FILE --key KEY [--key KEY ...]
//	go run . --batch < CASES
//
// Exit code: 0 sound, 1 damaged, 2 could not tell. With --batch each line of the input is a case in JSON, and each line of
// the output its exit code and why.
package main

import (
	"bufio"
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"slices"
	"strings"
	"unicode/utf8"
)

const format = "autovolt-ledger-export/1"
const longestLine = 4_194_304

// damage is what a file or proof is refused for.
type damage string

func require(condition bool, what string) {
	if !condition {
		panic(damage(what))
	}
}

// refused gives why the work was refused, or nothing.
func refused(work func()) (reason string) {
	defer func() {
		switch found := recover().(type) {
		case nil:
		case damage:
			reason = string(found)
		default:
			panic(found)
		}
	}()
	work()
	return ""
}

type chainEnd struct {
	sequence float64
	hash     string
}

// ledger is what is known of the files that were read so far.
type ledger struct {
	keys    []key
	known   *checkpoint
	chains  map[string]chainEnd
	tree    *tree
	isLater bool
	entries int
}

func linesOf(file []byte) [][]byte {
	lines := bytes.SplitAfter(file, []byte("\n"))
	if len(lines[len(lines)-1]) == 0 {
		lines = lines[:len(lines)-1]
	}
	return lines
}

func isExport(file []byte) bool {
	for number, line := range linesOf(file) {
		if number == 0 && bytes.Contains(line[:min(len(line), longestLine)], []byte(`"`+format+`"`)) {
			return true
		}
		if bytes.HasPrefix(line, []byte(`{"digest":"`+format+`\n`)) {
			return true
		}
	}
	return false
}

type header struct {
	origin         string
	fromSize, size int64
	frontier       []string
}

func parseHeader(line string) header {
	require(len(line) <= 8192, "a first line that is too long")
	s := scanner{rest: line}
	s.take(`{"header":{"format":"` + format + `","origin":`)
	origin := s.string()
	s.take(`,"fromSize":`)
	fromSize := s.integer()
	s.take(`,"frontier":`)
	frontier := s.hashes(53)
	s.take(`,"size":`)
	size := s.integer()
	s.take("}}\n")
	s.end()
	return header{origin, fromSize, size, frontier}
}

func (l *ledger) begin(header header) {
	isNamed := false
	for _, key := range l.keys {
		isNamed = isNamed || key.name == header.origin
	}
	require(isNamed, "a file of another log")
	bits := 0
	for size := header.fromSize; size > 0; size >>= 1 {
		bits += int(size & 1)
	}
	require(len(header.frontier) == bits, "the frontier")
	next := &tree{header.fromSize, header.frontier}
	if l.tree != nil {
		require(l.tree.size == next.size && l.tree.root() == next.root(), "a file does not go on from the one before")
	} else {
		l.isLater = header.fromSize > 0
		if l.known != nil && l.known.size < header.fromSize {
			l.known = nil
		}
	}
	l.tree = next
}

func (l *ledger) compareKnown() {
	if l.known != nil && l.known.size == l.tree.size {
		require(l.known.root == l.tree.root(), "the file does not go on from the known checkpoint")
		l.known = nil
	}
}

func (l *ledger) takeEntry(text string) {
	found := openEntry(unbase64(text))
	before, isKnown := l.chains[found.switchID]
	if isKnown || !l.isLater {
		if !isKnown {
			before = chainEnd{0, string(make([]byte, 32))}
		}
		require(found.sequence == before.sequence+1 && found.previousHash == before.hash, "a chain is not linked")
	}
	l.chains[found.switchID] = chainEnd{found.sequence, found.hash}
	l.tree.append(found.hash)
	l.entries++
}

func isHex64(text string) bool {
	data, err := hex.DecodeString(text)
	return err == nil && len(data) == 32 && hex.EncodeToString(data) == text
}

func takePersonal(s *scanner) {
	s.take(`{"commitment":`)
	commitment := s.string()
	s.take(`,"salt":`)
	salt := s.string()
	s.take(`,"text":`)
	text := s.string()
	s.take("}")
	require(isHex64(commitment) && isHex64(salt), "a commitment or a salt in another form")
	bytes, _ := hex.DecodeString(salt)
	require(commitmentOf(bytes, text) == commitment, "personal data is not what was committed to")
}

func (l *ledger) takeFile(file []byte) {
	lines := linesOf(file)
	sum := sha256.New()
	var head header
	last := int64(-1)
	for number, bytes := range lines {
		require(len(bytes) <= longestLine && utf8.Valid(bytes), "a line that is too long or no UTF-8")
		line := string(bytes)
		if number == 0 {
			head = parseHeader(line)
			l.begin(head)
			l.compareKnown()
			sum.Write(bytes)
			continue
		}
		s := &scanner{rest: line}
		switch {
		case s.has(`{"digest":`):
			require(len(line) <= 2_000_100, "a digest that is too long")
			note := s.string()
			s.take("}\n")
			s.end()
			l.checkDigest(note, head, sum.Sum(nil))
			require(number == len(lines)-1, "there is something after the digest")
			require(last == head.size && l.tree.size == head.size, "the file is not complete")
			return
		case s.has(`{"entry":`):
			l.takeEntry(s.string())
		case s.has(`{"checkpoint":`):
			require(len(line) <= 2_000_100, "a checkpoint that is too long")
			found := openCheckpoint(s.string(), l.keys)
			require(found == checkpoint{head.origin, l.tree.size, l.tree.root()}, "a checkpoint of another tree")
			last = found.size
		case s.has(`{"personal":`):
			takePersonal(s)
		default:
			panic(damage("a line of no known kind"))
		}
		s.take("}\n")
		s.end()
		sum.Write(bytes)
		l.compareKnown()
	}
	panic(damage("the file ends without a digest"))
}

func (l *ledger) checkDigest(note string, head header, digest []byte) {
	text, signatures := openNote(note, l.keys)
	ids := []string{}
	for _, signature := range signatures {
		id := hex.EncodeToString([]byte(signature.id))
		require(signature.name == head.origin, "a signature of another log")
		require(!slices.Contains(ids, id), "a digest that a key has signed twice")
		ids = append(ids, id)
	}
	expected := fmt.Sprintf("%s\n%s\n%d %d\n%s\n", format, head.origin, head.fromSize, head.size,
		base64.StdEncoding.EncodeToString(digest))
	if len(ids) > 1 {
		expected += strings.Join(ids, " ") + "\n"
	}
	require(text == expected, "the digest is of another file")
}

// sortFiles puts files in the order of where they begin and end in the tree.
func sortFiles(files [][]byte) {
	rangeOf := func(file []byte) (found header) {
		found.fromSize = math.MaxInt64
		refused(func() { found = parseHeader(string(linesOf(file)[0])) })
		return found
	}
	slices.SortStableFunc(files, func(one, other []byte) int {
		a, b := rangeOf(one), rangeOf(other)
		if order := cmp.Compare(a.fromSize, b.fromSize); order != 0 {
			return order
		}
		return cmp.Compare(a.size, b.size)
	})
}

// verifyFiles gives the exit code for exported files.
func verifyFiles(files [][]byte, keyTexts []string, known string) (int, string) {
	l := &ledger{chains: map[string]chainEnd{}}
	if reason := refused(func() {
		l.keys = parseKeys(keyTexts)
		if known != "" {
			found := openCheckpoint(known, l.keys)
			l.known = &found
		}
		require(len(files) > 0, "no file")
		for _, file := range files {
			require(isExport(file), "a file is no export of a format that is known here")
		}
		sortFiles(files)
	}); reason != "" {
		return 2, reason
	}
	if reason := refused(func() {
		for _, file := range files {
			l.takeFile(file)
		}
		require(l.known == nil, "the files end before the known checkpoint")
	}); reason != "" {
		return 1, reason
	}
	if l.entries == 0 {
		return 2, "there are no entries"
	}
	return 0, fmt.Sprintf("%d entries, %d chains", l.entries, len(l.chains))
}

// parseKeys reads the keys of one log.
func parseKeys(texts []string) []key {
	require(len(texts) > 0, "no key")
	var keys []key
	for _, text := range texts {
		next := parseKey(text)
		for _, other := range keys {
			require(other.name == next.name, "keys of several logs")
			require(other.id != next.id || other.public.Equal(next.public), "two keys of one id")
		}
		keys = append(keys, next)
	}
	return keys
}

// verifyProof gives the exit code for the text of a proof.
func verifyProof(text string, keyTexts []string) (int, string) {
	var keys []key
	if reason := refused(func() { keys = parseKeys(keyTexts) }); reason != "" {
		return 2, reason
	}
	if reason := refused(func() {
		require(utf8.ValidString(text) && utf16Length(text) <= 4_100_000, "a proof that is too long or no UTF-8")
		s := &scanner{rest: text, spaced: true, plain: true}
		s.take("{")
		s.member("kind")
		switch kind := s.string(); kind {
		case "inclusion":
			verifyInclusion(s, keys)
		case "consistency":
			verifyConsistency(s, keys)
		default:
			panic(damage("a proof of another kind"))
		}
	}); reason != "" {
		return 1, reason
	}
	return 0, "sound"
}

func verifyInclusion(s *scanner, keys []key) {
	s.take(",")
	s.member("entry")
	stored := s.string()
	s.take(",")
	s.member("leafIndex")
	index := s.integer()
	s.take(",")
	s.member("hashes")
	hashes := s.hashes(64)
	s.take(",")
	s.member("checkpoint")
	note := s.string()
	s.take("}")
	s.end()
	head := openCheckpoint(note, keys)
	leaf := openEntry(unbase64(stored)).hash
	require(provesInclusion(index, head.size, leaf, hashes, head.root), "the entry is not in the tree")
}

func verifyConsistency(s *scanner, keys []key) {
	s.take(",")
	s.member("from")
	from := s.string()
	s.take(",")
	s.member("to")
	to := s.string()
	s.take(",")
	s.member("hashes")
	hashes := s.hashes(64)
	s.take("}")
	s.end()
	first, second := openCheckpoint(from, keys), openCheckpoint(to, keys)
	require(first.origin == second.origin, "checkpoints of two logs")
	require(provesConsistency(first, second, hashes), "the trees are not consistent")
}

// batchCase is one line of the input of --batch; the bytes of files are in base64.
type batchCase struct {
	Files [][]byte `json:"files"`
	Proof []byte   `json:"proof"`
	Keys  []string `json:"keys"`
	Known string   `json:"known"`
}

func batch() {
	lines := bufio.NewReaderSize(os.Stdin, 1<<20)
	out := bufio.NewWriter(os.Stdout)
	for {
		line, err := lines.ReadBytes('\n')
		if err != nil {
			return
		}
		var one batchCase
		if err := json.Unmarshal(line, &one); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(3)
		}
		code, why := 0, ""
		if one.Proof != nil {
			code, why = verifyProof(string(one.Proof), one.Keys)
		} else {
			code, why = verifyFiles(one.Files, one.Keys, one.Known)
		}
		fmt.Fprintf(out, "%d %s\n", code, why)
		out.Flush()
	}
}

func read(name string) []byte {
	data, err := os.ReadFile(name)
	if err != nil {
		fmt.Println("could not tell:", err)
		os.Exit(2)
	}
	return data
}

func main() {
	var names, keys []string
	known, proof := "", ""
	for args := os.Args[1:]; len(args) > 0; args = args[1:] {
		switch {
		case args[0] == "--batch":
			batch()
			return
		case args[0] == "--key" && len(args) > 1:
			keys = append(keys, args[1])
			args = args[1:]
		case args[0] == "--since" && len(args) > 1:
			known = string(read(args[1]))
			args = args[1:]
		case args[0] == "--proof" && len(args) > 1:
			proof = args[1]
			args = args[1:]
		default:
			names = append(names, args[0])
		}
	}
	code, why := 2, "name a file"
	if proof != "" {
		code, why = verifyProof(string(read(proof)), keys)
	} else if len(names) > 0 {
		var files [][]byte
		for _, name := range names {
			files = append(files, read(name))
		}
		code, why = verifyFiles(files, keys, known)
	}
	fmt.Println(code, why)
	os.Exit(code)
}
