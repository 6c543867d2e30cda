// Package body reads the bodies of HTTP messages within a bound of bytes, and takes their content
// codings off.
package body

import (
	"errors"
	"io"
)

// FirstBuffer is the memory that a body gets before any of it has arrived, in bytes. From there it
// doubles as bytes come in, so that a client that announces a megabyte and stalls holds this much
// and no more.
const FirstBuffer = 16 << 10

// Room bounds a body, in bytes. Grow, if not nil, is asked before a buffer or a decoder takes
// memory, and its error ends the reading.
type Room struct {
	Limit int64
	Grow  func(bytes int) error
}

func (r Room) grow(bytes int) error {
	if r.Grow == nil {
		return nil
	}
	return r.Grow(bytes)
}

// Read is io.ReadAll with a buffer that never exceeds length, when that is known, and Limit+1 when
// length is below 0. net/http holds a body to its Content-Length, so once length bytes are in there
// is nothing left to read.
func (r Room) Read(from io.Reader, length int64) ([]byte, error) {
	return r.read(from, length, FirstBuffer)
}

// read is Read with a buffer of this size at first. With an error it returns what it has read
// before.
func (r Room) read(from io.Reader, length, first int64) ([]byte, error) {
	most := length
	if length < 0 {
		most = r.Limit + 1
	}
	buffer := []byte{}
	for int64(len(buffer)) < most {
		if len(buffer) == cap(buffer) {
			larger := min(most, max(first, 2*int64(cap(buffer))))
			if err := r.grow(int(larger) - cap(buffer)); err != nil {
				return buffer, err
			}
			buffer = append(make([]byte, 0, larger), buffer...)
		}
		n, err := from.Read(buffer[len(buffer):cap(buffer)])
		buffer = buffer[:len(buffer)+n]
		if errors.Is(err, io.EOF) && (length < 0 || int64(len(buffer)) == length) {
			return buffer, nil
		}
		if err != nil {
			return buffer, err
		}
	}
	return buffer, nil
}
