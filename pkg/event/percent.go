package event

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

const upperHex = "0123456789ABCDEF"

// encodeValue makes an attribute's value fit for a header: what is outside printable ASCII, space, double quote and
// percent become %XX, byte by byte (HTTP binding 3.1.3.2; the NATS binding has the same rule). A value that needs no
// encoding is returned as it is. CR and LF are among what is encoded, so no value can start a header of its own.
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

// attributeOf reads an attribute from the text of its header. It reports false when the text is not UTF-8.
//
// Many senders, the CloudEvents SDKs for Go and JavaScript among them, do not encode what they put into a header, and do not decode what
// they find there. So a text counts as percent-encoded only where that is what it must be: if each of its escapes stands for something
// that the binding has a sender encode, and all together are UTF-8. Anything else is meant as it stands, such as the escapes of a URI:
// also those that leave no URI where the attribute has to be one, as %25 does.
func attributeOf(name, text string) (Attribute, bool) {
	if isPlain(text) {
		return Attribute{Name: name, Value: text}, true
	}
	if !utf8.ValidString(text) {
		return Attribute{}, false
	}
	value := unquote(text)
	if decoded, ok := decodePercent(value); ok && utf8.ValidString(decoded) && mayBe(name, decoded) {
		value = decoded
	}
	a := Attribute{Name: name, Value: value}
	if encodeValue(value) != text && !hasControl(text) {
		a.text = text
	}
	return a, true
}

// mayBe reports whether a decoded value is of the type that its attribute has.
func mayBe(name, value string) bool {
	switch name {
	case Source, DataSchema, SchemaURL:
		return value == "" || isURIReference(value)
	}
	return true
}

// isPlain reports whether the text is the encoded form of itself.
func isPlain(text string) bool {
	for i := range len(text) {
		if mustEncode(text[i]) {
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

// decodePercent makes one round of percent-decoding. It reports false, and returns the text, when that is not what encodeValue makes of
// anything: some percent sign starts no escape, or an escape stands for a byte that needs none.
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
