package naming

import "strings"

const (
	// maxTypeTokens and maxTypeLength bound the part of a type that is kept readable; a hash of the rest may follow it.
	// The server compares subjects token by token, and holds every subject of a stream in memory.
	maxTypeTokens = 16
	maxTypeLength = 480

	// emptyToken stands for the nothing before, after or between dots; NATS has no empty tokens. Escaping never makes a single '%'.
	emptyToken = "%"
	// tailMark precedes the hash of what was not kept. Escaping never makes it, '~' being no hex digit.
	tailMark = "%~"
)

// appendType appends the event type as subject tokens. Dots stay, so that a type prefix that ends at a dot is a subject prefix.
// Different types get different tokens.
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

// appendHead appends the leading tokens of the type, as many as the bounds allow, and returns what follows their last dot.
// Whether a token is kept depends on nothing behind it: what is kept of a prefix is kept of every type that begins with it.
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

// appendEscaped appends one token of a type with everything as %XX that NATS or a terminal would take for something else.
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
