package jsonscan

import (
	"bytes"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// Unescape returns the content of a JSON string from a Scanner. It reports false for bytes that are
// not UTF-8, and for an escape of half a surrogate pair, which encoding/json would replace.
func Unescape(raw []byte) ([]byte, bool) {
	inner := raw[1 : len(raw)-1]
	if !utf8.Valid(inner) {
		return nil, false
	}
	if bytes.IndexByte(inner, '\\') < 0 {
		return inner, true
	}
	text := make([]byte, 0, len(inner))
	for {
		at := bytes.IndexByte(inner, '\\')
		if at < 0 {
			return append(text, inner...), true
		}
		text, inner = append(text, inner[:at]...), inner[at:]
		r, size := escapedRune(inner)
		if utf16.IsSurrogate(r) {
			low, lowSize := escapedRune(inner[size:])
			if r = utf16.DecodeRune(r, low); r == utf8.RuneError {
				return nil, false
			}
			size += lowSize
		}
		text, inner = utf8.AppendRune(text, r), inner[size:]
	}
}

// escapedRune returns the rune and the size of the escape at the start of text; size 0 if none.
func escapedRune(text []byte) (r rune, size int) {
	if len(text) < 2 || text[0] != '\\' {
		return -1, 0
	}
	switch c := text[1]; c {
	case 'u':
		code, _ := strconv.ParseUint(string(text[2:6]), 16, 16) // the scanner has seen four digits
		return rune(code), 6
	case 'b', 'f', 'n', 'r', 't':
		return rune("\b\f\n\r\t"[strings.IndexByte("bfnrt", c)]), 2
	default:
		return rune(c), 2
	}
}

// AppendString appends s as a JSON string.
func AppendString(out []byte, s string) []byte {
	const hex = "0123456789ABCDEF"
	out = append(out, '"')
	for i := range len(s) {
		switch c := s[i]; {
		case c == '"' || c == '\\':
			out = append(out, '\\', c)
		case c < ' ':
			out = append(out, '\\', 'u', '0', '0', hex[c>>4], hex[c&0xF])
		default:
			out = append(out, c)
		}
	}
	return append(out, '"')
}
