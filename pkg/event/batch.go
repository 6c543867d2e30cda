package event

import (
	"cmp"
	"fmt"
	"net/http"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/jsonscan"
)

// MaxBatchEvents bounds the events of one batch. The bytes of a batch are bounded by the caller's body limit.
const MaxBatchEvents = 10_000

// DecodeBatch reads the events of a batched mode message (HTTP binding 3.3, JSON format 4), in their order. All of them
// carry the headers that travel along. An empty batch is valid and yields none. The events refer to h's strings and to body.
//
// Errors: ErrNotCloudEvent when the content type is not that of a batch, an *AttributeError when there are several of them,
// ErrCharset, ErrMalformed, ErrBatchTooLong, or a *BatchError with the first invalid event; no events are returned then.
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

// eventsOf decodes an array of events, all with these headers.
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
