package filter

import (
	"net/url"
	"strings"
	"time"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/event"
)

// condition is one attribute's test: the attribute must have a value, and its very text or the form in which upstream prints that must
// satisfy holds: who filters by the very source or time that an event has gets the event, and so does who filters as upstream.
type condition struct {
	attribute, want string
	holds           func(value, want string) bool
}

// conditions passes when all of them hold.
type conditions []condition

func (n conditions) eval(e event.Event) verdict {
	for _, condition := range n {
		value := ValueOf(e, condition.attribute)
		if value == "" || !condition.holds(value, condition.want) && !condition.holds(printed(condition.attribute, value), condition.want) {
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

// ValueOf returns the attribute's text by the names that upstream knows. It returns "" for what the event lacks; no filter tells an
// empty value from a missing one.
//
// Source: knative.dev/eventing pkg/eventfilter/attributes LookupAttribute.
func ValueOf(e event.Event, attribute string) string {
	switch attribute {
	case event.DataSchema, event.SchemaURL:
		if e.Attr(event.SpecVersion) == version03 {
			return e.Attr(event.SchemaURL)
		}
		return e.Attr(event.DataSchema)
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

// printed returns the form in which upstream compares the attribute: URIs and times as they print after parsing.
func printed(attribute, value string) string {
	switch attribute {
	case event.Source, event.DataSchema, event.SchemaURL:
		return printedURI(value)
	case event.Time:
		if t, err := time.Parse(time.RFC3339Nano, strings.ToUpper(value)); err == nil {
			return t.Format(time.RFC3339Nano)
		}
	}
	return value
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
