package ingress

import (
	"errors"
	"fmt"
	"net/http"
	"os"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/body"
)

// readBody reads the whole body, at most limit bytes of it, and takes its content coding off, within the same limit. The error is an
// *http.MaxBytesError, ErrBusy, ErrBodyTimeout, ErrBody, or one of body.Decode.
//
// The request holds the memory for a body of known length already, which is not above the limit. One of unknown length is read to
// limit+1 bytes and no further, and net/http closes the connection.
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

// bodyError gives a failed read the sentinel that stands in the status table.
func bodyError(err error) error {
	if isA[*http.MaxBytesError](err) || errors.Is(err, ErrBusy) {
		return err
	}
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return fmt.Errorf("%w: %w", ErrBodyTimeout, err)
	}
	return fmt.Errorf("%w: %w", ErrBody, err)
}
