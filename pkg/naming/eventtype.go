package naming

import "strings"

const (
	// maxTypeTokens and maxTypeLength bound the readable part of a type in a subject; a hash stands
	// for the rest. The server holds every subject of a stream in memory.
	maxTypeTokens = 16
	maxTypeLength = 480

	// emptyToken stands for an empty token, which NATS forbids. Escaping never yields a lone '%'.
	emptyToken = "%"
	// tailMark precedes the hash of the rest. Escaping never yields it: '~' is no hex digit.
	tailMark = "%~"
)

// appendType appends the event type as subject tokens; different types get different tokens. Dots
// stay, so that a type prefix that ends at a dot is a subject prefix.
func appendType(dst []byte, eventType string) []byte {
	dst, rest, more := appendHead(dst, eventType)
	if !more {
		return dst
	}
	if rest != eventType {
		dst = append(dst, '.')
	}
	dst = append(dst, tailMark...)
	return append(dst, hash(rest)...)
}

// appendHead appends as many tokens of the type as the bounds allow, and returns the rest of the
// type; more is set if there is one. Whether it appends a token does not depend on later tokens, so
// types with a common prefix get common tokens.
func appendHead(dst []byte, eventType string) (head []byte, rest string, more bool) {
	start := len(dst)
	rest, more = eventType, true
	for kept := 0; more && kept < maxTypeTokens; kept++ {
		next, after, found := strings.Cut(rest, ".")
		if len(dst)-start+len(next) > maxTypeLength {
			return dst, rest, true
		}
		before := len(dst)
		if kept > 0 {
			dst = append(dst, '.')
		}
		dst = appendEscaped(dst, next)
		if len(dst)-start > maxTypeLength {
			return dst[:before], rest, true
		}
		rest, more = after, found
	}
	return dst, rest, more
}

// appendEscaped appends a token. Bytes that NATS or a terminal would interpret become %XX.
func appendEscaped(dst []byte, s string) []byte {
	if s == "" {
		return append(dst, emptyToken...)
	}
	const digits = "0123456789ABCDEF"
	for i := range len(s) {
		switch c := s[i]; {
		case c <= ' ', c >= 0x7f, c == '%', c == '*', c == '>':
			dst = append(dst, '%', digits[c>>4], digits[c&15])
		default:
			dst = append(dst, c)
		}
	}
	return dst
}
