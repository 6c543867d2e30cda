package ingress

import (
	"net/http"
	"strconv"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/event"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/route"
)

// contentType is the header that tells the content modes apart.
const contentType = "Content-Type"

// messages decodes a request into one message, or one per event of a batch. All events are checked
// before any is stored, so that no half of a batch is stored. Errors are those of event.FromHTTP,
// event.DecodeBatch and message; an event of a batch has an *event.BatchError.
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

// message prepares one event to be stored: an event of a Broker gets its hop count and arrival
// time, an event of a Channel is not changed. id is unique to the event, so that a publish can be
// repeated. If the address de-duplicates, its ID is made from the source and id attributes instead.
//
// Errors: ErrHopsExhausted and ErrAttributesTooLarge. Attributes are checked here and not by the
// Publisher, so that a batch is refused as a whole.
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
	// publisherBytes is room for headers that a Publisher adds, such as the message id.
	publisherBytes = 256
	// headerLineBytes bounds the rest of a header line: prefix, colon, line end.
	headerLineBytes = 16
	// escapedByte is the most that one byte of a value becomes: %XX.
	escapedByte = 3
)

// attributesTooLarge reports whether the event's headers exceed what JetStream stores. Headers
// within a simple upper bound, as nearly all are, need not be encoded for that.
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
