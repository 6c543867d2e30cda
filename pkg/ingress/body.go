package ingress

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/event"
)

// firstBuffer is the memory that a body gets before any of it has arrived, in bytes. From there it doubles as bytes
// come in, so that a client that announces a megabyte and stalls holds this much and no more.
const firstBuffer = 16 << 10

// readBody reads the whole body, at most limit bytes of it, and takes its content coding off, within the same limit. The error is an
// *http.MaxBytesError, ErrBusy, ErrBodyTimeout, ErrBody, or one of event.DecodeBody.
//
// The request holds the memory for a body of known length already, which is not above the limit. One of unknown length is read to
// limit+1 bytes and no further, and net/http closes the connection.
func readBody(w http.ResponseWriter, r *http.Request, limit int64, held *holding) ([]byte, error) {
	grow := func(bytes int) error { return held.take(r.Context(), int64(bytes)) }
	if r.ContentLength >= 0 {
		grow = func(int) error { return nil }
	}
	body, err := readAll(http.MaxBytesReader(w, r.Body, limit), r.ContentLength, limit, grow)
	if err != nil {
		return nil, bodyError(err)
	}
	return event.DecodeBody(r.Header, body, event.Room{
		Limit: limit, Grow: func(bytes int) error { return held.take(r.Context(), int64(bytes)) },
	})
}

// readAll is io.ReadAll with a buffer that never exceeds length, when that is known, and limit+1 otherwise. It asks grow before it makes
// the buffer larger.
// net/http holds a body to its Content-Length, so once length bytes are in there is nothing left to read.
func readAll(from io.Reader, length, limit int64, grow func(bytes int) error) ([]byte, error) {
	most := length
	if length < 0 {
		most = limit + 1
	}
	buffer := []byte{}
	for int64(len(buffer)) != length {
		if len(buffer) == cap(buffer) {
			size := int(min(most, max(firstBuffer, 2*int64(cap(buffer)))))
			if err := grow(size - cap(buffer)); err != nil {
				return nil, err
			}
			larger := make([]byte, len(buffer), size)
			copy(larger, buffer)
			buffer = larger
		}
		n, err := from.Read(buffer[len(buffer):cap(buffer)])
		buffer = buffer[:len(buffer)+n]
		if errors.Is(err, io.EOF) && (length < 0 || int64(len(buffer)) == length) {
			return buffer, nil
		}
		if err != nil {
			return nil, err
		}
	}
	return buffer, nil
}

// bodyError gives a failed read the sentinel that stands in the status table.
func bodyError(err error) error {
	if _, tooLarge := errors.AsType[*http.MaxBytesError](err); tooLarge || errors.Is(err, ErrBusy) {
		return err
	}
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return fmt.Errorf("%w: %w", ErrBodyTimeout, err)
	}
	return fmt.Errorf("%w: %w", ErrBody, err)
}
