package filter

import (
	"net/url"
	"strings"
	"time"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/event"
)

// condition is one attribute's test: the attribute must have a value, and it must satisfy holds.
type condition struct {
	attribute, want string
	holds           func(value, want string) bool
}

// conditions passes when all of them hold.
type conditions []condition

func (n conditions) eval(e event.Event) verdict {
	for _, condition := range n {
		value := valueOf(e, condition.attribute)
		if value == "" || !condition.holds(value, condition.want) {
			return fail
		}
	}
	return pass
}

func equal(value, want string) bool { return value == want }

// equalOrAny is the test of filter.attributes, where an empty string asks only for the attribute to be there.
func equalOrAny(value, want string) bool { return want == "" || value == want }

// Names that upstream answers though no CloudEvent has to carry them.
const (
	dataMediaType       = "datamediatype"
	dataContentEncoding = "datacontentencoding"

	version03 = "0.3"
)

// noTime is the value that an event without a time has for a filter.
const noTime = "0001-01-01T00:00:00Z"

// valueOf returns the attribute in the form in which upstream compares it: URIs and times as they print after parsing. It
// returns "" for what the event lacks; no filter tells an empty value from a missing one.
//
// Source: knative.dev/eventing pkg/eventfilter/attributes LookupAttribute.
func valueOf(e event.Event, attribute string) string {
	switch attribute {
	case event.Source:
		return printedURI(e.Attr(event.Source))
	case event.Time:
		return printedTime(e.Attr(event.Time))
	case event.DataSchema, event.SchemaURL:
		if e.Attr(event.SpecVersion) == version03 {
			return printedURI(e.Attr(event.SchemaURL))
		}
		return printedURI(e.Attr(event.DataSchema))
	case dataMediaType:
		mediaType, _, found := strings.Cut(e.Attr(event.DataContentType), ";")
		if found {
			mediaType = strings.TrimSpace(mediaType)
		}
		return mediaType
	case dataContentEncoding:
		if e.Attr(event.SpecVersion) != version03 {
			return ""
		}
		return e.Attr(dataContentEncoding)
	case event.HopCount:
		return ""
	default:
		return e.Attr(attribute)
	}
}

// printedTime returns "" for what has no RFC 3339 form, such as a year beyond 9999 after the zone was applied.
func printedTime(value string) string {
	if value == "" {
		return noTime
	}
	t, err := time.Parse(time.RFC3339Nano, value)
	if err != nil {
		return ""
	}
	text, err := t.MarshalText()
	if err != nil {
		return ""
	}
	return string(text)
}

func printedURI(value string) string {
	if printsAsIs(value) {
		return value
	}
	u, err := url.Parse(value)
	if err != nil {
		return value
	}
	return u.String()
}

// printsAsIs recognises the URI references that parsing and printing can't change, to spare them both: an optional http(s)://
// or one slash, then a letter or digit, then unreserved characters and slashes.
func printsAsIs(value string) bool {
	if rest, found := strings.CutPrefix(value, "https://"); found {
		value = rest
	} else if rest, found := strings.CutPrefix(value, "http://"); found {
		value = rest
	} else {
		value = strings.TrimPrefix(value, "/")
	}
	for i := range len(value) {
		switch c := value[i]; {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9':
		case i > 0 && (c == '-' || c == '.' || c == '_' || c == '~' || c == '/'):
		default:
			return false
		}
	}
	return value != ""
}
