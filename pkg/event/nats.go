package event

import (
	"bytes"
	"fmt"
	"strings"
)

// MaxNATSHeaderBytes bounds the headers that JetStream stores (nats-server server/stream.go).
const MaxNATSHeaderBytes = 65_535

const (
	ceHeaderPrefix = "ce-"
	// httpHeaderPrefix marks travelling headers, so that none is taken for an attribute or, like
	// Nats-*, for a command to the server.
	httpHeaderPrefix = "http-"
	// natsContentType announces a structured message. Binary mode has no such header: there the
	// content type is an attribute like any other.
	natsContentType = "content-type"
	natsSpecVersion = "ce-specversion"
)

// ToNATS returns the headers of a NATS message for the event in binary mode, whose payload is
// e.Data: a ce-<name> header per attribute, datacontenttype included, and an http-<Name> header per
// travelling header, both percent-encoded (CloudEvents NATS binding 1.0.3, 3.1).
func ToNATS(e Event) map[string][]string {
	h := make(map[string][]string, len(e.Attributes)+len(e.Headers))
	values := make([]string, len(e.Attributes))
	for i, a := range e.Attributes {
		values[i] = a.header()
		h[natsName(a.Name)] = values[i : i+1 : i+1]
	}
	for _, header := range e.Headers {
		key := httpHeaderPrefix + header.Name
		h[key] = append(h[key], encodeValue(header.Value))
	}
	return h
}

// ToStructuredNATS returns the headers and the payload of a NATS message for the event in
// structured mode, for attributes that exceed MaxNATSHeaderBytes.
func ToStructuredNATS(e Event) (h map[string][]string, payload []byte) {
	payload, contentType := Structured(e)
	h = ToNATS(Event{Headers: e.Headers})
	h[natsContentType] = []string{contentType}
	return h, payload
}

// FromNATS reads the event of a NATS message, written by ToNATS or by other publishers: header
// names in any case, binary mode with the type of the data in content-type, structured mode
// announced by content-type, or a JSON envelope without that header, the only form of the binding
// before 1.0.3. Of the http-* headers it reads only travelling ones.
//
// The event shares h's strings and data, which must not change afterwards. Errors: FromHTTP's.
func FromNATS(h map[string][]string, data []byte) (Event, error) {
	var e Event
	var err error
	if isStructuredNATS(h, data) {
		contentType, _ := lookupFold(h, natsContentType)
		e, err = fromEnvelope(contentType, data)
	} else {
		e, err = fromBinaryNATS(h, data)
	}
	if err != nil {
		return Event{}, err
	}
	e.Headers = travelling(h, httpHeaderPrefix)
	return e, nil
}

func isStructuredNATS(h map[string][]string, data []byte) bool {
	contentType, announced := lookupFold(h, natsContentType)
	if announced {
		media := mediaType(contentType)
		return strings.EqualFold(media, structuredType) || strings.EqualFold(media, structuredPrefix)
	}
	if _, binary := lookupFold(h, natsSpecVersion); binary {
		return false
	}
	return bytes.HasPrefix(bytes.TrimLeft(data, " \t\r\n"), []byte("{"))
}

func fromBinaryNATS(h map[string][]string, data []byte) (Event, error) {
	if _, ok := lookupFold(h, natsSpecVersion); !ok {
		return Event{}, fmt.Errorf("%w: no ce-specversion header", ErrNotCloudEvent)
	}
	b := builder{attributes: make([]Attribute, 0, len(h))}
	for key, values := range h {
		if raw, ok := cutPrefixFold(key, ceHeaderPrefix); ok {
			if err := b.addHeader(raw, values); err != nil {
				return Event{}, err
			}
		}
	}
	if contentType, ok := lookupFold(h, natsContentType); ok && !b.has(DataContentType) {
		b.attributes = append(b.attributes, Attribute{Name: DataContentType, Value: contentType})
	}
	return b.event(data)
}

// lookupFold returns the first value of a header whose name is in any case.
func lookupFold(h map[string][]string, name string) (string, bool) {
	if values := h[name]; len(values) > 0 {
		return values[0], true
	}
	for key, values := range h {
		if len(values) > 0 && strings.EqualFold(key, name) {
			return values[0], true
		}
	}
	return "", false
}

// HeaderBytes returns the size in bytes of these headers as a NATS client sends them. To compare
// with MaxNATSHeaderBytes, pass every header of the message, Nats-Msg-Id too.
func HeaderBytes(h map[string][]string) int {
	if len(h) == 0 {
		return 0
	}
	size := len("NATS/1.0\r\n") + len("\r\n")
	for key, values := range h {
		for _, value := range values {
			size += len(key) + len(": ") + len(strings.Trim(value, " \t\r\n")) + len("\r\n")
		}
	}
	return size
}
