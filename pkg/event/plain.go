package event

import (
	"strings"
	"time"
	"unicode/utf8"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/jsonscan"
)

const opaqueType = "application/octet-stream"

// Plain is a NATS message that is no CloudEvent, with the attributes of the event made from it.
type Plain struct {
	ID, Source, Type string
	Time             time.Time
	// Header is the message's; Event reads its Content-Type and trace context.
	Header map[string][]string
	Data   []byte
}

// Event returns the event whose data is the payload. Its datacontenttype is the header's if valid,
// else application/json, or for other data application/octet-stream, or none without data.
func (p Plain) Event() Event {
	e := Event{Data: p.Data, Attributes: []Attribute{
		{Name: SpecVersion, Value: version10}, {Name: ID, Value: p.ID}, {Name: Source, Value: p.Source}, {Name: Type, Value: p.Type}, {Name: Time, Value: p.Time.UTC().Format(time.RFC3339Nano)},
	}}
	contentType, announced := lookupFold(p.Header, natsContentType)
	switch {
	case announced && isMediaType(contentType):
	case len(p.Data) == 0:
		contentType = ""
	case utf8.Valid(p.Data) && jsonscan.Valid(p.Data):
		contentType = jsonType
	default:
		contentType = opaqueType
	}
	if contentType != "" {
		e.Attributes = append(e.Attributes, Attribute{Name: DataContentType, Value: contentType})
	}
	for key, values := range p.Header {
		if isTraceContext(key) && len(values) > 0 {
			e.Headers = append(e.Headers, Header{key, values[0]})
		}
	}
	e.Headers = bounded(e.Headers)
	return e
}

// IsNATS reports whether a NATS message is meant as a CloudEvent, valid or not: it has a ce-
// header, or a CloudEvents content type, or no content type and as payload a JSON object with the
// member specversion, the only form of the binding before 1.0.3.
func IsNATS(h map[string][]string, data []byte) bool {
	for key := range h {
		if _, binary := cutPrefixFold(key, ceHeaderPrefix); binary {
			return true
		}
	}
	if contentType, announced := lookupFold(h, natsContentType); announced {
		return hasPrefixFold(strings.TrimSpace(contentType), structuredPrefix)
	}
	return hasMember(data, SpecVersion)
}

// hasMember reports whether the data is a JSON object with this member.
func hasMember(data []byte, want string) bool {
	s, found := jsonscan.New(data), false
	if !s.Enter('{') {
		return false
	}
	for s.More() {
		key, _, ok := s.Member()
		if !ok {
			return false
		}
		name, ok := jsonscan.Unescape(key)
		found = found || ok && string(name) == want
	}
	return found && s.Ended()
}
