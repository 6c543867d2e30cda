package event

import (
	"mime"
	"net/url"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// maxAttributes bounds the attributes of one event, far above what 64 KiB of NATS headers hold.
const maxAttributes = 1024

// builder collects the attributes of one event.
type builder struct {
	attributes []Attribute
}

// unset is the text of an attribute whose JSON value is null. No header can have this text.
const unset = "\x00"

// add appends an attribute; a name that was added before is an *AttributeError.
func (b *builder) add(a Attribute) error {
	if b.has(a.Name) {
		return &AttributeError{a.Name, "is given more than once"}
	}
	b.attributes = append(b.attributes, a)
	return nil
}

func (b *builder) has(name string) bool {
	_, ok := Event{Attributes: b.attributes}.Get(name)
	return ok
}

// bound refuses an attribute beyond maxAttributes: the search for duplicates has to stay cheap.
func (b *builder) bound(next string) error {
	if len(b.attributes) >= maxAttributes {
		return &AttributeError{next, "is one too many: an event has at most " + strconv.Itoa(maxAttributes) + " attributes"}
	}
	return nil
}

// event returns the event with this data. It drops attributes that are null, and optional ones that
// are empty, as the CloudEvents SDK does, and validates the rest.
func (b *builder) event(data []byte) (Event, error) {
	kept := b.attributes[:0]
	for _, a := range b.attributes {
		if a.text != unset && (a.Value != "" || !isEmptyAbsent(a.Name)) {
			kept = append(kept, a)
		}
	}
	e := Event{Attributes: kept, Data: data}
	if err := e.Validate(); err != nil {
		return Event{}, err
	}
	return e, nil
}

// isEmptyAbsent reports whether an empty value means that the attribute is absent. Extensions may
// be empty; an empty time is an error.
func isEmptyAbsent(name string) bool {
	return name == Subject || name == DataContentType || name == DataSchema || name == SchemaURL
}

// Validate checks the context attributes as Validate of the CloudEvents SDK does, on which
// upstream's ingress relies. The error is an *AttributeError. Events that were read are valid;
// validate others before writing them, as a header may hide the fault from its reader.
func (e Event) Validate() error {
	version := e.Attr(SpecVersion)
	for _, name := range [...]string{SpecVersion, ID, Source, Type} {
		if strings.TrimSpace(e.Attr(name)) == "" {
			return &AttributeError{name, "is missing or empty"}
		}
	}
	if version != version10 && version != version03 {
		return &AttributeError{SpecVersion, "must be 1.0 or 0.3"}
	}
	for _, a := range e.Attributes {
		if reason := defect(a, version); reason != "" {
			return &AttributeError{a.Name, reason}
		}
	}
	return nil
}

// defect returns the fault of one attribute, or "".
func defect(a Attribute, version string) string {
	switch a.Name {
	case Source:
		if !isURIReference(a.Value) {
			return "must be a URI-reference"
		}
	case Subject:
		if strings.TrimSpace(a.Value) == "" {
			return "must not be blank"
		}
	case Time:
		if !isTimestamp(a.Value) {
			return "must be an RFC 3339 timestamp"
		}
	case DataContentType:
		if !isMediaType(a.Value) {
			return "must be a media type (RFC 2046)"
		}
	case DataSchema:
		if version == version10 && !isAbsoluteURI(a.Value) {
			return "must be an absolute URI"
		}
	case SchemaURL:
		if version == version03 && !isURIReference(a.Value) {
			return "must be a URI-reference"
		}
	case dataContentEncoding:
		if version == version03 && a.Value != encodingBase64 {
			return "must be base64"
		}
	}
	return ""
}

// isTimestamp accepts what time.Parse does and the rest of RFC 3339 (5.6, 5.7): lower-case t and z,
// and leap seconds, which end a day of UTC.
func isTimestamp(value string) bool {
	text, leap := strings.ToUpper(value), false
	if len(text) > 19 && text[16:19] == ":60" {
		text, leap = text[:16]+":59"+text[19:], true
	}
	t, err := time.Parse(time.RFC3339Nano, text)
	t = t.UTC()
	return err == nil && (!leap || t.Hour() == 23 && t.Minute() == 59)
}

// isURIReference agrees with url.Parse, which the SDK uses, and spares most values its allocation.
func isURIReference(value string) bool {
	if isSimpleReference(value) {
		return true
	}
	u, err := url.Parse(value)
	// A lone "#" or "//" parses, but is empty.
	return err == nil && strings.TrimSpace(u.String()) != ""
}

// isSimpleReference reports whether value is an optional scheme and characters that url.Parse
// accepts anywhere. User info, ports, escapes, brackets and a second colon are left to url.Parse.
func isSimpleReference(value string) bool {
	scheme, rest, found := strings.Cut(value, ":")
	if !found {
		scheme, rest = "", value
	}
	if found && (scheme == "" || !isLetter(scheme[0])) {
		return false
	}
	for i := range len(scheme) {
		if c := scheme[i]; !isLetter(c) && !isDigit(c) {
			return false
		}
	}
	hasLetterOrDigit := false
	for i := range len(rest) {
		c := rest[i]
		switch {
		case isLetter(c) || isDigit(c):
			hasLetterOrDigit = true
		case strings.IndexByte("/-._~?#=&", c) < 0:
			return false
		}
	}
	return hasLetterOrDigit
}

func isAbsoluteURI(value string) bool {
	u, err := url.Parse(value)
	return err == nil && u.IsAbs()
}

// isMediaType agrees with mime.ParseMediaType, and spares plain types its allocations. It refuses
// control characters and what is not UTF-8: the value becomes a Content-Type header.
func isMediaType(value string) bool {
	plain := value
	const utf8Charset = "; charset=utf-8"
	if n := len(value) - len(utf8Charset); n > 0 && strings.EqualFold(value[n:], utf8Charset) {
		plain = value[:n]
	}
	if isPlainMediaType(plain) {
		return true
	}
	_, _, err := mime.ParseMediaType(value)
	return err == nil && !hasControl(value) && utf8.ValidString(value)
}

// hasControl reports whether a header value holds a control character other than a tab.
func hasControl(value string) bool {
	for i := range len(value) {
		if c := value[i]; c < ' ' && c != '\t' || c == 0x7F {
			return true
		}
	}
	return false
}

func isPlainMediaType(value string) bool {
	major, minor, found := strings.Cut(value, "/")
	return found && isToken(major) && isToken(minor)
}

// isToken reports whether value is a token of RFC 9110: a header name, or a part of a media type.
func isToken(value string) bool {
	for i := range len(value) {
		if c := value[i]; !isLetter(c) && !isDigit(c) && strings.IndexByte("!#$%&'*+-.^_`|~", c) < 0 {
			return false
		}
	}
	return value != ""
}

func isLetter(c byte) bool { return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' }

func isDigit(c byte) bool { return '0' <= c && c <= '9' }
