// Package body reads the bodies of HTTP messages within a bound, and removes their content codings.
package body

import (
	"errors"
	"io"
)

// FirstBuffer is the first buffer of a body, in bytes. The buffer doubles as bytes come in: a
// client that announces a megabyte and stalls holds only this much.
const FirstBuffer = 16 << 10

// Room bounds a body to Limit bytes. Grow, if not nil, is called before a buffer or a decoder takes
// memory; its error ends the reading.
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

// Read is io.ReadAll with a buffer of at most length bytes, or Limit+1 if length is below 0
// (unknown). After length bytes it reads no further: net/http ends the body there.
func (r Room) Read(from io.Reader, length int64) ([]byte, error) {
	return r.read(from, length, FirstBuffer)
}

// read is Read with a first buffer of this size. With an error it returns what it has read so far.
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
