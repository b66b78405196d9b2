package main

import (
	"strings"
	"unicode/utf8"
)

// A reader of JSON in the one form that sections 7 and 8 of the page allow.

type scanner struct {
	rest string
	// Whether white space may stand between tokens, as in a proof.
	spaced bool
	// Whether strings have the escapes of a proof alone.
	plain bool
}

func (s *scanner) skip() {
	if s.spaced {
		s.rest = strings.TrimLeft(s.rest, " \t\r\n")
	}
}

func (s *scanner) take(token string) {
	s.skip()
	require(strings.HasPrefix(s.rest, token), "JSON in another form")
	s.rest = s.rest[len(token):]
	s.skip()
}

// has takes the token if it comes next.
func (s *scanner) has(token string) bool {
	s.skip()
	if !strings.HasPrefix(s.rest, token) {
		return false
	}
	s.take(token)
	return true
}

func (s *scanner) member(name string) {
	s.take(`"` + name + `"`)
	s.take(":")
}

func (s *scanner) integer() int64 {
	s.skip()
	end := 0
	for end < len(s.rest) && s.rest[end] >= '0' && s.rest[end] <= '9' {
		end++
	}
	value := parseSize(s.rest[:end])
	s.rest = s.rest[end:]
	s.skip()
	return value
}

var shortEscapes = map[byte]byte{'"': '"', '\\': '\\', 'n': '\n', 'b': '\b', 't': '\t', 'f': '\f', 'r': '\r'}

func (s *scanner) string() string {
	s.skip()
	require(strings.HasPrefix(s.rest, `"`), "no string")
	var text strings.Builder
	at := 1
	for {
		require(at < len(s.rest), "a string without end")
		c := s.rest[at]
		if c == '"' {
			break
		}
		require(c >= 0x20, "a control character in a string")
		if c != '\\' {
			text.WriteByte(c)
			at++
			continue
		}
		at++
		require(at < len(s.rest), "a string without end")
		escaped, isShort := shortEscapes[s.rest[at]]
		if isShort {
			require(!s.plain || escaped == '"' || escaped == '\\' || escaped == '\n', "an escape of another form")
			text.WriteByte(escaped)
			at++
			continue
		}
		require(!s.plain && at+5 <= len(s.rest), "an escape of another form")
		text.WriteByte(controlOf(s.rest[at : at+5]))
		at += 5
	}
	s.rest = s.rest[at+1:]
	s.skip()
	require(utf8.ValidString(text.String()), "a string that is no UTF-8")
	return text.String()
}

// controlOf reads u00 and two lower-case digits, of a character that has no shorter escape.
func controlOf(escape string) byte {
	const digits = "0123456789abcdef"
	require(escape[:3] == "u00", "an escape of another form")
	high, low := strings.IndexByte(digits, escape[3]), strings.IndexByte(digits, escape[4])
	require((high == 0 || high == 1) && low >= 0, "an escape of another form")
	code := byte(high<<4 | low)
	require(!strings.ContainsRune("\b\t\n\f\r", rune(code)), "an escape that is too long")
	return code
}

func (s *scanner) hashes(most int) []string {
	hashes := []string{}
	s.take("[")
	if s.has("]") {
		return hashes
	}
	for {
		hash := unbase64(s.string())
		require(len(hash) == 32 && len(hashes) < most, "a hash")
		hashes = append(hashes, string(hash))
		if s.has("]") {
			return hashes
		}
		s.take(",")
	}
}

func (s *scanner) end() {
	require(s.rest == "", "something follows")
}
