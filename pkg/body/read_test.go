package body

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"
)

var errBusy = errors.New("busy")

func TestRead(t *testing.T) {
	for _, size := range []int{0, 1, FirstBuffer - 1, FirstBuffer, FirstBuffer + 1, 3*FirstBuffer + 7, 1 << 20} {
		want := bytes.Repeat([]byte("z"), size)
		for name, reader := range map[string]io.Reader{
			"whole": bytes.NewReader(want), "halves": iotest.HalfReader(bytes.NewReader(want)), "end with data": iotest.DataErrReader(bytes.NewReader(want)),
		} {
			got, err := Room{Limit: 1 << 20}.Read(reader, int64(size))
			if err != nil || !bytes.Equal(got, want) || cap(got) > size {
				t.Errorf("%s, %d bytes announced: got %d, room for %d, error %v", name, size, len(got), cap(got), err)
			}
		}
		got, err := Room{Limit: 1 << 20}.Read(bytes.NewReader(want), -1)
		if err != nil || !bytes.Equal(got, want) {
			t.Errorf("%d bytes, length unknown: got %d, error %v", size, len(got), err)
		}
	}
}

func TestReadEndsEarly(t *testing.T) {
	room := Room{Limit: 100}
	if _, err := room.Read(strings.NewReader("abc"), 10); !errors.Is(err, io.EOF) {
		t.Errorf("error %v for a body shorter than announced, want io.EOF", err)
	}
	broken := errors.New("broken")
	if _, err := room.Read(iotest.ErrReader(broken), -1); !errors.Is(err, broken) {
		t.Errorf("error %v, want the reader's", err)
	}
}

// roomReader records the largest buffer that it gets, and fails after `give` bytes.
type roomReader struct{ give, room int }

func (r *roomReader) Read(p []byte) (int, error) {
	r.room = max(r.room, len(p))
	if r.give == 0 {
		return 0, io.ErrNoProgress
	}
	n := min(r.give, len(p))
	r.give -= n
	return n, nil
}

// Read asks Grow for exactly the memory of its buffer, and ends when Grow refuses.
func TestReadAsksForMemory(t *testing.T) {
	asked := 0
	got, err := Room{Limit: 1 << 20, Grow: func(bytes int) error {
		asked += bytes
		return nil
	}}.Read(strings.NewReader(strings.Repeat("x", 5*FirstBuffer)), -1)
	if err != nil || asked != cap(got) {
		t.Errorf("asked for %d bytes, has %d; error %v", asked, cap(got), err)
	}
	reader := &roomReader{give: 1 << 20}
	_, err = Room{Limit: 1 << 20, Grow: func(bytes int) error {
		if bytes > FirstBuffer {
			return errBusy
		}
		return nil
	}}.Read(reader, -1)
	if read := 1<<20 - reader.give; !errors.Is(err, errBusy) || read != 2*FirstBuffer {
		t.Errorf("%d bytes read, error %v; want %d, errBusy", read, err, 2*FirstBuffer)
	}
}

// A client that announces much and sends little gets little memory.
func TestReadGrowsWithWhatArrives(t *testing.T) {
	for _, sent := range []int{0, FirstBuffer / 2, FirstBuffer, 5 * FirstBuffer} {
		reader := &roomReader{give: sent}
		room := Room{Limit: 1 << 30}
		if _, err := room.Read(reader, room.Limit); !errors.Is(err, io.ErrNoProgress) {
			t.Fatal(err)
		}
		if most := max(FirstBuffer, 2*sent); reader.room > most {
			t.Errorf("%d bytes sent, room for %d more, want at most %d", sent, reader.room, most)
		}
	}
}
