package event

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

const upperHex = "0123456789ABCDEF"

// encodeValue encodes a value for a header: each byte outside printable ASCII, space, double quote
// and percent become %XX (HTTP binding 3.1.3.2; the NATS binding has the same rule). CR and LF
// become %XX too, so no value can start another header.
func encodeValue(value string) string {
	if isPlain(value) {
		return value
	}
	var b strings.Builder
	b.Grow(3 * len(value))
	for i := range len(value) {
		if c := value[i]; mustEncode(c) {
			b.Write([]byte{'%', upperHex[c>>4], upperHex[c&0xF]})
		} else {
			b.WriteByte(c)
		}
	}
	return b.String()
}

func mustEncode(c byte) bool {
	return c <= ' ' || c >= 0x7F || c == '"' || c == '%'
}

// attributeOf reads an attribute from header text. It reports false for text that is not UTF-8.
//
// Many senders, the CloudEvents SDKs for Go and JavaScript among them, neither encode nor decode
// header values. So text is percent-decoded only if every escape stands for a byte that the binding
// makes senders encode, and the result is UTF-8 and fits the attribute's type. Other text is taken
// literally, such as the escapes of a URI, even %25 if decoding would leave no URI.
func attributeOf(name, text string) (Attribute, bool) {
	if isPlain(text) {
		return Attribute{Name: name, Value: text}, true
	}
	if !utf8.ValidString(text) {
		return Attribute{}, false
	}
	value := unquote(text)
	if decoded, ok := decodePercent(value); ok && utf8.ValidString(decoded) && fitsType(name, decoded) {
		value = decoded
	}
	a := Attribute{Name: name, Value: value}
	if encodeValue(value) != text && !hasControl(text) {
		a.text = text
	}
	return a, true
}

// fitsType reports whether a decoded value fits the type of its attribute.
func fitsType(name, value string) bool {
	switch name {
	case Source, DataSchema, SchemaURL:
		return value == "" || isURIReference(value)
	}
	return true
}

// isPlain reports whether encodeValue returns the text unchanged.
func isPlain(text string) bool {
	for i := range len(text) {
		if mustEncode(text[i]) {
			return false
		}
	}
	return true
}

// unquote returns the content of a quoted string (RFC 7230 3.2.6), and any other value unchanged.
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

// decodePercent decodes once. It reports false, and returns the text, if encodeValue writes no such
// text: a percent sign starts no escape, or an escape stands for a byte that needs none.
func decodePercent(text string) (string, bool) {
	first := strings.IndexByte(text, '%')
	if first < 0 {
		return text, true
	}
	decoded := make([]byte, 0, len(text))
	decoded = append(decoded, text[:first]...)
	for i := first; i < len(text); i++ {
		if text[i] != '%' {
			decoded = append(decoded, text[i])
			continue
		}
		if i+2 >= len(text) {
			return text, false
		}
		c, err := strconv.ParseUint(text[i+1:i+3], 16, 8)
		if err != nil || !mustEncode(byte(c)) {
			return text, false
		}
		decoded = append(decoded, byte(c))
		i += 2
	}
	return string(decoded), true
}
