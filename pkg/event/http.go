package event

import (
	"fmt"
	"net/http"
	"net/textproto"
	"slices"
	"strings"
)

const (
	contentTypeHeader = "Content-Type"
	structuredPrefix  = "application/cloudevents"
	structuredType    = "application/cloudevents+json"
	batchType         = "application/cloudevents-batch+json"
)

// IsStructured reports whether this Content-Type announces one CloudEvent in the JSON format.
func IsStructured(contentType string) bool {
	return strings.EqualFold(mediaType(contentType), structuredType)
}

// IsBatch reports whether this Content-Type announces a JSON array of CloudEvents.
func IsBatch(contentType string) bool {
	return strings.EqualFold(mediaType(contentType), batchType)
}

// mediaType returns the content type without its parameters.
func mediaType(contentType string) string {
	media, _, _ := strings.Cut(contentType, ";")
	return strings.TrimSpace(media)
}

// FromHTTP reads the CloudEvent of a request or response in binary or structured mode (CloudEvents
// HTTP binding 3), with its travelling headers. The event keeps its version, 1.0 or 0.3. The keys
// of h must be canonical.
//
// The event shares h's strings and body, which must not change afterwards: a binary body is not
// copied, and JSON data of a structured body is a slice of it.
//
// Errors: ErrNotCloudEvent (also for a batch), ErrCharset, ErrMalformed, or an *AttributeError.
func FromHTTP(h http.Header, body []byte) (Event, error) {
	contentType, err := contentTypeOf(h)
	if err != nil {
		return Event{}, err
	}
	if IsBatch(contentType) {
		return Event{}, fmt.Errorf("%w: the content type announces a batch", ErrNotCloudEvent)
	}
	var e Event
	if IsStructured(contentType) {
		e, err = fromEnvelope(contentType, body)
	} else {
		e, err = fromBinaryHTTP(h, body)
	}
	if err != nil {
		return Event{}, err
	}
	e.Headers = TravellingHeaders(h)
	return e, nil
}

// contentTypeOf returns the content type. Different values are an error in every content mode,
// because the mode depends on the value.
func contentTypeOf(h http.Header) (string, error) {
	values := h[contentTypeHeader]
	if slices.ContainsFunc(values, func(value string) bool { return value != values[0] }) {
		return "", contradiction(DataContentType)
	}
	return h.Get(contentTypeHeader), nil
}

func fromBinaryHTTP(h http.Header, body []byte) (Event, error) {
	if _, ok := h["Ce-Specversion"]; !ok {
		if contentType := h.Get(contentTypeHeader); hasPrefixFold(contentType, structuredPrefix) {
			return Event{}, fmt.Errorf("%w: no support for the event format %q", ErrNotCloudEvent, contentType)
		}
		return Event{}, fmt.Errorf("%w: no ce-specversion header", ErrNotCloudEvent)
	}
	b := builder{attributes: make([]Attribute, 0, len(h))}
	for key, values := range h {
		var err error
		if raw, ok := cutPrefixFold(key, ceHeaderPrefix); ok {
			err = b.addHTTP(raw, values)
		} else if key == contentTypeHeader && len(values) > 0 {
			err = b.add(Attribute{Name: DataContentType, Value: values[0]})
		}
		if err != nil {
			return Event{}, err
		}
	}
	return b.event(body)
}

func (b *builder) addHTTP(raw string, values []string) error {
	if err := b.bound(raw); err != nil {
		return err
	}
	if strings.EqualFold(raw, DataContentType) {
		return &AttributeError{DataContentType, "belongs into Content-Type, not into a ce- header"}
	}
	return b.addHeader(raw, values)
}

// addHeader adds the attribute of a header; raw is the header's name without the prefix. The value
// may be percent-encoded. A repeated header, in NATS also in another case, must repeat the value.
func (b *builder) addHeader(raw string, values []string) error {
	name, ok := attributeName(raw)
	if !ok {
		return &AttributeError{raw, notAName}
	}
	for _, text := range values {
		a, ok := attributeOf(name, text)
		have, twice := Event{Attributes: b.attributes}.Get(name)
		switch {
		case !ok:
			return &AttributeError{name, "is not UTF-8"}
		case !twice:
			b.attributes = append(b.attributes, a)
		case have != a.Value:
			return contradiction(name)
		}
	}
	return nil
}

// contradiction is the error for a repeated header whose values differ.
func contradiction(name string) error {
	return &AttributeError{name, "is given more than once: the values of " + httpName(name) + " differ"}
}

// WriteHTTP sets the headers of a binary mode request whose body is e.Data: Content-Type, one ce-
// header per attribute, and the travelling headers. An attribute that was read from a header keeps
// that text; others are percent-encoded (HTTP binding 3.1.3.2). Depart removes the hop count.
//
// In binary mode an event whose datacontenttype is a CloudEvents type looks like a structured one,
// a gap in the binding: send such an event with Structured.
func WriteHTTP(e Event, h http.Header) {
	for _, header := range e.Headers {
		key := textproto.CanonicalMIMEHeaderKey(header.Name)
		h[key] = append(h[key], header.Value)
	}
	values := make([]string, len(e.Attributes))
	for i, a := range e.Attributes {
		values[i] = a.Value
		if a.Name != DataContentType {
			values[i] = a.header()
		}
		h[httpName(a.Name)] = values[i : i+1 : i+1]
	}
}
