package event

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// checkJSON makes sure that body is one JSON value; the scanner relies on it. The error is ErrMalformed with the place.
func checkJSON(body []byte) error {
	if isJSON(body) {
		return nil
	}
	var discard json.RawMessage
	return fmt.Errorf("%w: %w", ErrMalformed, json.Unmarshal(body, &discard))
}

// scanner walks over JSON that checkJSON has accepted and yields its values as slices of it, without copying.
type scanner struct {
	json []byte
	next int
}

// enter steps into a value that starts with this bracket. It reports false when the value is of another kind.
func (s *scanner) enter(bracket byte) bool {
	if s.peek() != bracket {
		return false
	}
	s.next++
	return true
}

// more reports whether the object or array goes on; at its end it steps out of it.
func (s *scanner) more() bool {
	switch s.peek() {
	case ',':
		s.next++
		return true
	case '}', ']', 0:
		s.next++
		return false
	}
	return true
}

// member returns the key of an object's next member, still quoted, and its value.
func (s *scanner) member() (key, value []byte) {
	key = s.value()
	if s.peek() == ':' {
		s.next++
	}
	return key, s.value()
}

// value returns the next value as it stands, without the white space around it.
func (s *scanner) value() []byte {
	s.peek()
	start, depth := s.next, 0
	for s.next < len(s.json) {
		switch c := s.json[s.next]; c {
		case '"':
			s.skipString()
			if depth == 0 {
				return s.json[start:s.next:s.next]
			}
			continue
		case '{', '[':
			depth++
		case '}', ']', ',', ' ', '\t', '\r', '\n':
			if depth == 0 {
				return s.json[start:s.next:s.next]
			}
			if c == '}' || c == ']' {
				if depth--; depth == 0 {
					s.next++
					return s.json[start:s.next:s.next]
				}
			}
		}
		s.next++
	}
	return s.json[start:s.next:s.next]
}

// skipString steps over a string, from its opening quote to behind the quote that no backslash escapes.
func (s *scanner) skipString() {
	s.next++
	for begin := s.next; s.next < len(s.json); {
		quote := bytes.IndexByte(s.json[s.next:], '"')
		if quote < 0 {
			s.next = len(s.json)
			return
		}
		end := s.next + quote
		s.next = end + 1
		before := bytes.TrimRight(s.json[begin:end], `\`)
		if backslashes := end - begin - len(before); backslashes%2 == 0 {
			return
		}
	}
}

// peek skips white space and returns the byte that follows, 0 at the end.
func (s *scanner) peek() byte {
	for ; s.next < len(s.json); s.next++ {
		switch c := s.json[s.next]; c {
		case ' ', '\t', '\r', '\n':
		default:
			return c
		}
	}
	return 0
}

func isJSONString(raw []byte) bool { return len(raw) >= 2 && raw[0] == '"' }

func isJSONNull(raw []byte) bool { return string(raw) == "null" }

// unescape returns the content of a JSON string. It reports false for bytes that are not UTF-8, which JSON has to be, and for an escape
// that is one half of a surrogate pair, which encoding/json would replace.
func unescape(raw []byte) ([]byte, bool) {
	inner := raw[1 : len(raw)-1]
	if !utf8.Valid(inner) {
		return nil, false
	}
	if bytes.IndexByte(inner, '\\') < 0 {
		return inner, true
	}
	var s string
	if err := json.Unmarshal(raw, &s); err != nil || strings.ContainsRune(s, utf8.RuneError) && hasLoneSurrogate(inner) {
		return nil, false
	}
	return []byte(s), true
}

// hasLoneSurrogate reports whether an escape in a JSON string is half of a surrogate pair whose other half is not beside it.
func hasLoneSurrogate(inner []byte) bool {
	for i := 0; i < len(inner); i++ {
		if inner[i] != '\\' {
			continue
		}
		first := escapedRune(inner[i:])
		if !utf16.IsSurrogate(first) {
			i++ // over the character that the backslash escapes
			continue
		}
		if utf16.DecodeRune(first, escapedRune(inner[i+6:])) == utf8.RuneError {
			return true
		}
		i += 11
	}
	return false
}

// escapedRune returns what the escape \uXXXX stands for with which the text begins, and -1 where it begins otherwise.
func escapedRune(text []byte) rune {
	if len(text) < 6 || text[0] != '\\' || text[1] != 'u' {
		return -1
	}
	code, err := strconv.ParseUint(string(text[2:6]), 16, 32)
	if err != nil {
		return -1
	}
	return rune(code) //nolint:gosec // 16 bits
}

// appendString appends a JSON string.
func appendString(out []byte, s string) []byte {
	out = append(out, '"')
	for i := range len(s) {
		switch c := s[i]; {
		case c == '"' || c == '\\':
			out = append(out, '\\', c)
		case c < ' ':
			out = append(out, '\\', 'u', '0', '0', upperHex[c>>4], upperHex[c&0xF])
		default:
			out = append(out, c)
		}
	}
	return append(out, '"')
}
