// Package event holds a CloudEvent the way the data plane carries it: attributes, the payload bytes as they came, and the
// few HTTP headers that travel beside it. It converts between HTTP, NATS headers and this form, and does no I/O.
package event

import "slices"

// Names of the context attributes this package treats in a special way.
const (
	SpecVersion     = "specversion"
	ID              = "id"
	Source          = "source"
	Type            = "type"
	Subject         = "subject"
	Time            = "time"
	DataSchema      = "dataschema"
	SchemaURL       = "schemaurl" // CloudEvents 0.3's name for dataschema
	DataContentType = "datacontenttype"

	// HopCount is the extension that counts how often an event may still pass a Broker as a reply.
	// Source: knative.dev/eventing pkg/broker/ttl.go.
	HopCount = "knativebrokerttl"
	// ArrivalTime is the extension with the RFC 3339 time at which the ingress took the event.
	ArrivalTime = "knativearrivaltime"
)

// Attribute is one CloudEvents context attribute or extension: a lower-case name and its canonical string value
// (decoded: percent-encoding belongs to the wire, not to this value).
type Attribute struct {
	Name, Value string
	// text is what stood in the header that it came in, where that is not how we encode the value: what goes on in a header goes on as it
	// came. Empty otherwise.
	text string
}

// header returns the attribute as the text of a header: without CR, LF or NUL, whatever the value is.
func (a Attribute) header() string {
	if a.text != "" {
		return a.text
	}
	return encodeValue(a.Value)
}

// Header is one HTTP header that travels with the event, from sender to subscriber, without being part of it.
type Header struct {
	Name, Value string
}

// Event is one CloudEvent. Data is never parsed and never modified: what the sender posted is what the subscriber gets.
// An Event is a value; copies share Data, so nobody may write to it.
type Event struct {
	Attributes []Attribute
	Headers    []Header
	Data       []byte
}

// Get returns the value of the attribute with this lower-case name, and whether the event has it.
func (e Event) Get(name string) (string, bool) {
	for _, a := range e.Attributes {
		if a.Name == name {
			return a.Value, true
		}
	}
	return "", false
}

// Attr returns the value of the attribute with this lower-case name, or "" when the event has none.
func (e Event) Attr(name string) string {
	value, _ := e.Get(name)
	return value
}

// With returns the event with the attribute set; the receiver stays as it was.
func (e Event) With(name, value string) Event {
	e.Attributes = append(e.except(name), Attribute{Name: name, Value: value})
	return e
}

// Without returns the event without the attribute; the receiver stays as it was.
func (e Event) Without(name string) Event {
	if _, ok := e.Get(name); ok {
		e.Attributes = e.except(name)
	}
	return e
}

// except returns a copy of the attributes without those of these names, and with room for as many
// others.
func (e Event) except(names ...string) []Attribute {
	attributes := make([]Attribute, 0, len(e.Attributes)+len(names))
	for _, a := range e.Attributes {
		if !slices.Contains(names, a.Name) {
			attributes = append(attributes, a)
		}
	}
	return attributes
}
