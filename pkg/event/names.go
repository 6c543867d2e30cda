package event

import "strings"

// Members of the JSON envelope for data, and CloudEvents 0.3's attribute for its encoding.
const (
	dataMember          = "data"
	dataBase64Member    = "data_base64"
	dataContentEncoding = "datacontentencoding"
	encodingBase64      = "base64"
)

const (
	version03 = "0.3"
	version10 = "1.0"
)

// attributeName returns the lower-case attribute of raw, a header name without "ce-", and false if
// no attribute may have that name (CloudEvents 1.0, "Naming conventions"; any length is tolerated).
func attributeName(raw string) (string, bool) {
	if isAttributeName(raw) {
		return raw, true
	}
	var array [32]byte
	lower := append(array[:0], raw...)
	for i, c := range lower {
		if 'A' <= c && c <= 'Z' {
			lower[i] = c + 'a' - 'A'
		}
	}
	name := intern(lower)
	return name, isAttributeName(name)
}

// intern returns the name as a string, without an allocation for common names.
func intern(name []byte) string {
	if known := headersOf(string(name)); known.attribute != "" {
		return known.attribute
	}
	return string(name)
}

// headers are the names of an attribute, of its NATS header, and of its canonical HTTP header.
type headers struct{ attribute, nats, http string }

// headersOf returns the names of a common attribute, which are constants: using them allocates
// nothing. The names of another attribute are empty.
func headersOf(attribute string) headers {
	switch attribute {
	case SpecVersion:
		return headers{SpecVersion, "ce-specversion", "Ce-Specversion"}
	case ID:
		return headers{ID, "ce-id", "Ce-Id"}
	case Source:
		return headers{Source, "ce-source", "Ce-Source"}
	case Type:
		return headers{Type, "ce-type", "Ce-Type"}
	case Subject:
		return headers{Subject, "ce-subject", "Ce-Subject"}
	case Time:
		return headers{Time, "ce-time", "Ce-Time"}
	case DataContentType:
		return headers{DataContentType, "ce-datacontenttype", contentTypeHeader}
	case HopCount:
		return headers{HopCount, "ce-knativebrokerttl", "Ce-Knativebrokerttl"}
	case ArrivalTime:
		return headers{ArrivalTime, "ce-knativearrivaltime", "Ce-Knativearrivaltime"}
	case dataMember: // no attribute, but a member of most envelopes
		return headers{attribute: dataMember}
	}
	return headers{}
}

func natsName(attribute string) string {
	if known := headersOf(attribute); known.nats != "" {
		return known.nats
	}
	return ceHeaderPrefix + attribute
}

func httpName(attribute string) string {
	if known := headersOf(attribute); known.http != "" {
		return known.http
	}
	return "Ce-" + strings.ToUpper(attribute[:1]) + attribute[1:]
}

// isAttributeName reports whether name is an attribute name: lower-case letters and digits, and not
// "data", the payload in the JSON envelope.
func isAttributeName(name string) bool {
	for i := range len(name) {
		if !isNameByte(name[i]) {
			return false
		}
	}
	return name != "" && name != dataMember
}

func isNameByte(c byte) bool {
	return 'a' <= c && c <= 'z' || '0' <= c && c <= '9'
}

// cutPrefixFold is strings.CutPrefix that ignores ASCII case. The prefix is ASCII.
func cutPrefixFold(s, prefix string) (string, bool) {
	if len(s) < len(prefix) || !strings.EqualFold(s[:len(prefix)], prefix) {
		return s, false
	}
	return s[len(prefix):], true
}

func hasPrefixFold(s, prefix string) bool {
	_, ok := cutPrefixFold(s, prefix)
	return ok
}
