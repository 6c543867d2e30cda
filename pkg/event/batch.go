package event

import (
	"fmt"
	"net/http"
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
	if err := checkBody(contentType, body); err != nil {
		return nil, err
	}
	s := scanner{json: body}
	if !s.enter('[') {
		return nil, fmt.Errorf("%w: a batch has to be an array", ErrMalformed)
	}
	headers := TravellingHeaders(h)
	var events []Event
	for s.more() {
		if len(events) == MaxBatchEvents {
			return nil, ErrBatchTooLong
		}
		e, err := decodeEnvelope(s.value())
		if err != nil {
			return nil, &BatchError{Index: len(events), Err: err}
		}
		e.Headers = headers
		events = append(events, e)
	}
	return events, nil
}
