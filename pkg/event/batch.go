package event

import (
	"cmp"
	"fmt"
	"net/http"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/jsonscan"
)

// MaxBatchEvents bounds the events of one batch; the caller bounds the bytes of its body.
const MaxBatchEvents = 10_000

// DecodeBatch reads the events of a batched mode message (HTTP binding 3.3, JSON format 4), in
// order. Each event has the travelling headers of h. An empty batch yields no events. The events
// share h's strings and body, which must not change afterwards.
//
// Errors: ErrNotCloudEvent for a content type other than a batch's, an *AttributeError for several
// different content types, ErrCharset, ErrMalformed, ErrBatchTooLong, or a *BatchError with the
// first invalid event. With an error no events are returned.
func DecodeBatch(h http.Header, body []byte) ([]Event, error) {
	contentType, err := contentTypeOf(h)
	if err != nil {
		return nil, err
	}
	if !IsBatch(contentType) {
		return nil, fmt.Errorf("%w: the content type %q is not that of a batch", ErrNotCloudEvent, contentType)
	}
	if err := checkCharset(contentType); err != nil {
		return nil, err
	}
	s := jsonscan.New(body)
	events, err := eventsOf(&s, TravellingHeaders(h))
	if err != nil || !s.Ended() {
		return nil, cmp.Or(checkJSON(body), err)
	}
	return events, nil
}

// eventsOf decodes a JSON array of events and gives these headers to each.
func eventsOf(s *jsonscan.Scanner, headers []Header) ([]Event, error) {
	if !s.Enter('[') {
		return nil, fmt.Errorf("%w: a batch has to be an array", ErrMalformed)
	}
	var events []Event
	for s.More() {
		if len(events) == MaxBatchEvents {
			return nil, ErrBatchTooLong
		}
		e, err := eventOf(s)
		if err != nil {
			return nil, &BatchError{Index: len(events), Err: err}
		}
		e.Headers = headers
		events = append(events, e)
	}
	return events, nil
}
