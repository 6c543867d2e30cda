package event

import (
	"strings"
	"unicode/utf8"
)

const upperHex = "0123456789ABCDEF"

// encodeValue makes an attribute's value fit for a header: what is outside printable ASCII, space, double quote and
// percent become %XX, byte by byte (HTTP binding 3.1.3.2; the NATS binding has the same rule). A value that needs no
// encoding is returned as it is. CR and LF are among what is encoded, so no value can start a header of its own.
func encodeValue(value string) string {
	encoded := 0
	for i := range len(value) {
		if mustEncode(value[i]) {
			encoded++
		}
	}
	if encoded == 0 {
		return value
	}
	var b strings.Builder
	b.Grow(len(value) + 2*encoded)
	for i := range len(value) {
		c := value[i]
		if mustEncode(c) {
			b.WriteByte('%')
			b.WriteByte(upperHex[c>>4])
			b.WriteByte(upperHex[c&0xF])
			continue
		}
		b.WriteByte(c)
	}
	return b.String()
}

func mustEncode(c byte) bool {
	return c <= ' ' || c >= 0x7F || c == '"' || c == '%'
}

// decodeValue is the receiving side of HTTP binding 3.1.3.2: unquote a quoted string, then one round of
// percent-decoding. A percent sign that starts no escape stays as it is, since many senders do not encode. It reports
// false when the result is not UTF-8, which the binding demands to reject.
func decodeValue(value string) (string, bool) {
	if isPlain(value) {
		return value, true
	}
	value = decodePercent(unquote(value))
	return value, utf8.ValidString(value)
}

func isPlain(value string) bool {
	for i := range len(value) {
		if c := value[i]; c == '%' || c == '"' || c >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// unquote resolves a value that is one quoted string as a whole (RFC 7230 3.2.6); anything else stays as it is.
func unquote(value string) string {
	if len(value) < 2 || value[0] != '"' || value[len(value)-1] != '"' {
		return value
	}
	inner := value[1 : len(value)-1]
	if !strings.ContainsAny(inner, `"\`) {
		return inner
	}
	unquoted := make([]byte, 0, len(inner))
	for i := 0; i < len(inner); i++ {
		switch {
		case inner[i] == '"':
			return value
		case inner[i] == '\\':
			if i++; i == len(inner) {
				return value
			}
		}
		unquoted = append(unquoted, inner[i])
	}
	return string(unquoted)
}

func decodePercent(value string) string {
	first := strings.IndexByte(value, '%')
	if first < 0 {
		return value
	}
	decoded := make([]byte, 0, len(value))
	decoded = append(decoded, value[:first]...)
	for i := first; i < len(value); i++ {
		if value[i] == '%' && i+2 < len(value) {
			high, highOK := hexDigit(value[i+1])
			low, lowOK := hexDigit(value[i+2])
			if highOK && lowOK {
				decoded = append(decoded, high<<4|low)
				i += 2
				continue
			}
		}
		decoded = append(decoded, value[i])
	}
	return string(decoded)
}

func hexDigit(c byte) (byte, bool) {
	switch {
	case '0' <= c && c <= '9':
		return c - '0', true
	case 'a' <= c && c <= 'f':
		return c - 'a' + 10, true
	case 'A' <= c && c <= 'F':
		return c - 'A' + 10, true
	}
	return 0, false
}
