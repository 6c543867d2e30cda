package ingress

import (
	"errors"
	"fmt"
	"net/http"
	"os"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/body"
)

// readBody reads the whole body and decodes its content coding, each within limit bytes. The error
// is an *http.MaxBytesError, ErrBusy, ErrBodyTimeout, ErrBody, or body.Decode's.
//
// The request already holds memory for a body of known length, which is within the limit. A body of
// unknown length is read up to limit+1 bytes, then net/http closes the connection.
func readBody(w http.ResponseWriter, r *http.Request, limit int64, held *holding) ([]byte, error) {
	room := body.Room{Limit: limit, Grow: func(bytes int) error { return held.take(r.Context(), int64(bytes)) }}
	arriving := room
	if r.ContentLength >= 0 {
		arriving.Grow = nil
	}
	read, err := arriving.Read(http.MaxBytesReader(w, r.Body, limit), r.ContentLength)
	if err != nil {
		return nil, bodyError(err)
	}
	return body.Decode(r.Header, read, room)
}

// bodyError wraps the error of a failed read in the sentinel that answerTo knows.
func bodyError(err error) error {
	if isA[*http.MaxBytesError](err) || errors.Is(err, ErrBusy) {
		return err
	}
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return fmt.Errorf("%w: %w", ErrBodyTimeout, err)
	}
	return fmt.Errorf("%w: %w", ErrBody, err)
}
