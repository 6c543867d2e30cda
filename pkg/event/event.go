// Package event holds a CloudEvent as the data plane carries it: attributes, the payload bytes, and
// travelling headers, the few HTTP headers that pass from sender to subscriber beside the event. It
// converts events from and to HTTP and NATS messages, and does no I/O.
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
	// ArrivalTime is the extension with the RFC 3339 time at which the ingress received the event.
	ArrivalTime = "knativearrivaltime"
)

// Attribute is one CloudEvents context attribute or extension: a lower-case name and its canonical
// string value, without the percent-encoding of headers.
type Attribute struct {
	Name, Value string
	// text is the header text that the attribute was read from, if encodeValue gives another text:
	// the attribute is written back as it was read. Empty otherwise.
	text string
}

// header returns the attribute as header text, which never has CR, LF or NUL.
func (a Attribute) header() string {
	if a.text != "" {
		return a.text
	}
	return encodeValue(a.Value)
}

// Header is one travelling header.
type Header struct {
	Name, Value string
}

// Event is one CloudEvent. Data is never modified: the subscriber gets the bytes that the sender
// posted. Copies of an Event share Data, so nobody may write to it.
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

// except returns a copy of the attributes without these names, with capacity for as many others.
func (e Event) except(names ...string) []Attribute {
	attributes := make([]Attribute, 0, len(e.Attributes)+len(names))
	for _, a := range e.Attributes {
		if !slices.Contains(names, a.Name) {
			attributes = append(attributes, a)
		}
	}
	return attributes
}
