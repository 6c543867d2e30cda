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

// IsStructured reports whether this Content-Type says that the body is one CloudEvent in the JSON format.
func IsStructured(contentType string) bool {
	return strings.EqualFold(mediaType(contentType), structuredType)
}

// IsBatch reports whether this Content-Type says that the body is a JSON array of CloudEvents.
func IsBatch(contentType string) bool {
	return strings.EqualFold(mediaType(contentType), batchType)
}

// mediaType cuts the parameters off.
func mediaType(contentType string) string {
	media, _, _ := strings.Cut(contentType, ";")
	return strings.TrimSpace(media)
}

// FromHTTP reads the CloudEvent of a request or response, 1.0 or 0.3, in binary or structured mode (CloudEvents HTTP
// binding 3), with the headers that travel along. A 0.3 event stays one. The keys of h are canonical, as net/http gives them.
//
// The event refers to h's strings and to body, which must not change afterwards. A binary body is neither read nor copied,
// JSON data of a structured one is sliced out of it.
//
// Errors: ErrNotCloudEvent (also for batches: see DecodeBatch), ErrCharset, ErrMalformed, or an *AttributeError.
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

// contentTypeOf returns the content type, on which the content mode depends: so it has to be one, also where it is no attribute.
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

// addHTTP adds the attribute of one ce- header.
func (b *builder) addHTTP(raw string, values []string) error {
	if err := b.bound(raw); err != nil {
		return err
	}
	if strings.EqualFold(raw, DataContentType) {
		return &AttributeError{DataContentType, "belongs into Content-Type, not into a ce- header"}
	}
	return b.addHeader(raw, values)
}

// addHeader adds an attribute from its header, of which raw is the name behind the prefix. The
// value may be percent-encoded. A header that came more than once, in NATS also by names in
// different case, has to have the same value each time.
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

// contradiction is the error for a header that came more than once and does not say the same each time.
func contradiction(name string) error {
	return &AttributeError{name, "is given more than once: the values of " + httpName(name) + " differ"}
}

// WriteHTTP sets the headers of a binary mode request for the event, whose body is e.Data: Content-Type, one ce- header per
// attribute, as the text that it came as or else percent-encoded as HTTP binding 3.1.3.2 demands, and the headers that travel along. The hop count is an
// attribute like any other here; see Depart.
//
// An event whose datacontenttype is itself a CloudEvents type cannot be told from a structured one in binary mode, a gap in
// the binding: send it with Structured.
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
