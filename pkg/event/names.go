package event

import "strings"

// Members of the JSON envelope, and an attribute of CloudEvents 0.3, that say how data is represented.
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

// attributeName returns the attribute that the part of a header name after "ce-" stands for, in lower case. It reports
// false for what no attribute can be called (CloudEvents 1.0, "Naming conventions"; longer than 20 is tolerated).
func attributeName(raw string) (string, bool) {
	var array [32]byte
	lower := array[:0]
	for i := range len(raw) {
		c := raw[i]
		if 'A' <= c && c <= 'Z' {
			c += 'a' - 'A'
		}
		if !isNameByte(c) {
			return "", false
		}
		lower = append(lower, c)
	}
	if len(raw) == 0 || string(lower) == dataMember {
		return "", false
	}
	if string(lower) == raw {
		return raw, true
	}
	return intern(lower), true
}

// intern returns the name as a string. Those that most events have are constants, so that reading them allocates nothing.
func intern(name []byte) string {
	switch string(name) {
	case SpecVersion:
		return SpecVersion
	case ID:
		return ID
	case Source:
		return Source
	case Type:
		return Type
	case Subject:
		return Subject
	case Time:
		return Time
	case DataContentType:
		return DataContentType
	case HopCount:
		return HopCount
	case ArrivalTime:
		return ArrivalTime
	case dataMember:
		return dataMember
	}
	return string(name)
}

// isAttributeName reports whether this is an attribute's name as it stands: lower-case letters and digits, and not
// "data", which the JSON envelope uses for the payload.
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

// natsName is the NATS header of an attribute; constants for the same reason as in intern.
func natsName(attribute string) string {
	switch attribute {
	case SpecVersion:
		return "ce-specversion"
	case ID:
		return "ce-id"
	case Source:
		return "ce-source"
	case Type:
		return "ce-type"
	case Subject:
		return "ce-subject"
	case Time:
		return "ce-time"
	case DataContentType:
		return "ce-datacontenttype"
	case HopCount:
		return "ce-knativebrokerttl"
	case ArrivalTime:
		return "ce-knativearrivaltime"
	}
	return "ce-" + attribute
}

// httpName is the canonical HTTP header of an attribute, as net/http spells the keys of http.Header.
func httpName(attribute string) string {
	switch attribute {
	case SpecVersion:
		return "Ce-Specversion"
	case ID:
		return "Ce-Id"
	case Source:
		return "Ce-Source"
	case Type:
		return "Ce-Type"
	case Subject:
		return "Ce-Subject"
	case Time:
		return "Ce-Time"
	case DataContentType:
		return "Content-Type"
	case ArrivalTime:
		return "Ce-Knativearrivaltime"
	}
	return "Ce-" + strings.ToUpper(attribute[:1]) + attribute[1:]
}

// cutPrefixFold is strings.CutPrefix without regard to ASCII case. The prefix is ASCII.
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
