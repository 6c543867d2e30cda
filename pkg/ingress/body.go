package ingress

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
)

// firstBuffer is the memory that a body gets before any of it has arrived, in bytes. From there it doubles as bytes
// come in, so that a client that announces a megabyte and stalls holds this much and no more.
const firstBuffer = 16 << 10

// readBody reads the whole body, at most limit bytes of it. The error is an *http.MaxBytesError, ErrBodyTimeout or ErrBody.
//
// A body that is announced as too large is refused unread; one of unknown length is read to limit+1 bytes and no further,
// and net/http closes the connection.
func readBody(w http.ResponseWriter, r *http.Request, limit int64) ([]byte, error) {
	if r.ContentLength > limit {
		return nil, &http.MaxBytesError{Limit: limit}
	}
	body, err := readAll(http.MaxBytesReader(w, r.Body, limit), r.ContentLength, limit)
	if err != nil {
		return nil, bodyError(err)
	}
	return body, nil
}

// readAll is io.ReadAll with a buffer that never exceeds length, when that is known, and limit+1 otherwise.
// net/http holds a body to its Content-Length, so once length bytes are in there is nothing left to read.
func readAll(from io.Reader, length, limit int64) ([]byte, error) {
	most := length
	if length < 0 {
		most = limit + 1
	}
	buffer := make([]byte, 0, min(most, firstBuffer))
	for int64(len(buffer)) != length {
		if len(buffer) == cap(buffer) {
			larger := make([]byte, len(buffer), min(most, 2*int64(cap(buffer))))
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
	if _, tooLarge := errors.AsType[*http.MaxBytesError](err); tooLarge {
		return err
	}
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return fmt.Errorf("%w: %w", ErrBodyTimeout, err)
	}
	return fmt.Errorf("%w: %w", ErrBody, err)
}
