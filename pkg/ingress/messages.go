package ingress

import (
	"net/http"
	"strconv"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/event"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/route"
)

// contentType names the header that tells the content modes apart.
const contentType = "Content-Type"

// messages decodes a request into what is to be stored: one message, or as many as a batch has.
// Every event is checked before the first is stored, so that an invalid one leaves no half of a
// batch behind. Errors are those of event.FromHTTP, event.DecodeBatch and event.Arrive; those of an
// event in a batch come in an *event.BatchError.
func (h *Handler) messages(header http.Header, body []byte, to route.Address) ([]Message, error) {
	if !event.IsBatch(header.Get(contentType)) {
		e, err := event.FromHTTP(header, body)
		if err != nil {
			return nil, err
		}
		m, err := h.message(e, to, h.config.NewID())
		return []Message{m}, err
	}
	events, err := event.DecodeBatch(header, body)
	if err != nil {
		return nil, err
	}
	request := h.config.NewID()
	messages := make([]Message, len(events))
	for i, e := range events {
		if messages[i], err = h.message(e, to, request+"."+strconv.Itoa(i)); err != nil {
			return nil, &event.BatchError{Index: i, Err: err}
		}
	}
	return messages, nil
}

// message prepares one event to be stored: a Broker's gets its hop count and arrival time, a
// Channel's stays as it came. It is stored once under its id: the request's own, so that a publish
// can be repeated, or, where the address asks for de-duplication, one that every request with the
// same source and id has.
//
// ErrHopsExhausted, or ErrAttributesTooLarge: found here rather than by the Publisher so that a batch is refused whole.
func (h *Handler) message(e event.Event, to route.Address, id string) (Message, error) {
	if to.Key.Kind == route.KindBroker {
		var err error
		if e, err = event.Arrive(e, h.config.Now()); err != nil {
			return Message{}, err
		}
	}
	if attributesTooLarge(e) {
		return Message{}, ErrAttributesTooLarge
	}
	if to.Log.DedupWindow > 0 {
		id = event.DedupID(e.Attr(event.Source), e.Attr(event.ID))
	}
	return Message{ID: id, Event: e}, nil
}

const (
	// publisherBytes is room in the header block for what a Publisher adds of its own, such as the message id.
	publisherBytes = 256
	// headerLineBytes is the most that a header's line takes besides its name and value: prefix, colon, line end.
	headerLineBytes = 16
	// escapedByte is what one byte of a value becomes at most: %XX.
	escapedByte = 3
)

// attributesTooLarge tells whether the event's headers exceed what JetStream stores. They are encoded only when the
// simple upper bound does not tell already that they fit, which it does for nearly every event.
func attributesTooLarge(e event.Event) bool {
	const room = event.MaxNATSHeaderBytes - publisherBytes
	bound := 0
	for _, a := range e.Attributes {
		bound += len(a.Name) + escapedByte*len(a.Value) + headerLineBytes
	}
	for _, header := range e.Headers {
		bound += len(header.Name) + escapedByte*len(header.Value) + headerLineBytes
	}
	return bound > room-headerLineBytes && event.HeaderBytes(event.ToNATS(e)) > room
}
