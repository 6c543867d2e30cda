package ingress

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/body"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/event"
)

// Values of Retry-After. A full log waits for a subscriber; the other two conditions pass quickly.
const (
	retryBusy        = time.Second
	retryUnavailable = 2 * time.Second
	retryLogFull     = 10 * time.Second
)

// answer is the HTTP answer to a refused request.
type answer struct {
	status int
	// retryAfter is the Retry-After header; 0 means none.
	retryAfter time.Duration
}

// answerTo is the one table from errors to statuses. Senders choose by status whether to send again
// (data plane spec): they do at 404, 408, 429 and 5xx, and do not at 400, 403, 413, 415 and 431.
func answerTo(err error) answer {
	switch {
	case errors.Is(err, ErrNoPath), errors.Is(err, ErrUnknownBroker), errors.Is(err, ErrUnknownChannel), errors.Is(err, ErrNoHTTPS):
		return answer{status: http.StatusNotFound}
	case errors.Is(err, ErrRefused):
		return answer{status: http.StatusForbidden}
	case errors.Is(err, ErrMalformedPath), errors.Is(err, ErrBody):
		return answer{status: http.StatusBadRequest}
	case errors.Is(err, ErrBodyTimeout):
		return answer{status: http.StatusRequestTimeout}
	case isA[*http.MaxBytesError](err), errors.Is(err, ErrEventTooLarge), errors.Is(err, event.ErrBatchTooLong),
		errors.Is(err, body.ErrTooLarge):
		return answer{status: http.StatusRequestEntityTooLarge}
	case errors.Is(err, ErrAttributesTooLarge):
		return answer{status: http.StatusRequestHeaderFieldsTooLarge}
	case errors.Is(err, body.ErrCoding), errors.Is(err, event.ErrCharset):
		return answer{status: http.StatusUnsupportedMediaType}
	case errors.Is(err, event.ErrNotCloudEvent), errors.Is(err, body.ErrCoded), errors.Is(err, event.ErrMalformed), errors.Is(err, event.ErrHopsExhausted),
		isA[*event.AttributeError](err), isA[*event.BatchError](err):
		return answer{status: http.StatusBadRequest}
	case errors.Is(err, ErrBusy):
		return answer{status: http.StatusTooManyRequests, retryAfter: retryBusy}
	case errors.Is(err, ErrLogFull):
		return answer{status: http.StatusInsufficientStorage, retryAfter: retryLogFull}
	case errors.Is(err, ErrUnavailable), errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		return answer{status: http.StatusServiceUnavailable, retryAfter: retryUnavailable}
	default:
		return answer{status: http.StatusInternalServerError}
	}
}

func isA[E error](err error) bool {
	_, ok := errors.AsType[E](err)
	return ok
}
