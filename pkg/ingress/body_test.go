package ingress

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/iotest"
)

// anySize lets a buffer grow.
func anySize(int) error { return nil }

func TestReadAll(t *testing.T) {
	for _, size := range []int{0, 1, firstBuffer - 1, firstBuffer, firstBuffer + 1, 3*firstBuffer + 7, 1 << 20} {
		want := bytes.Repeat([]byte("z"), size)
		for name, reader := range map[string]io.Reader{
			"whole": bytes.NewReader(want), "halves": iotest.HalfReader(bytes.NewReader(want)), "end with data": iotest.DataErrReader(bytes.NewReader(want)),
		} {
			got, err := readAll(reader, int64(size), 1<<20, anySize)
			if err != nil || !bytes.Equal(got, want) || cap(got) > size {
				t.Errorf("%s, %d bytes announced: got %d, room for %d, error %v", name, size, len(got), cap(got), err)
			}
		}
		got, err := readAll(bytes.NewReader(want), -1, 1<<20, anySize)
		if err != nil || !bytes.Equal(got, want) {
			t.Errorf("%d bytes, length unknown: got %d, error %v", size, len(got), err)
		}
	}
}

func TestReadAllEndsEarly(t *testing.T) {
	if _, err := readAll(strings.NewReader("abc"), 10, 100, anySize); !errors.Is(err, io.EOF) {
		t.Errorf("error %v for a body shorter than announced, want io.EOF", err)
	}
	broken := errors.New("broken")
	if _, err := readAll(iotest.ErrReader(broken), -1, 100, anySize); !errors.Is(err, broken) {
		t.Errorf("error %v, want the reader's", err)
	}
}

// roomReader records the largest buffer that it is asked to fill, and stalls for ever after `give` bytes by failing.
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

// What the buffer has is what was asked for, and a buffer that may not grow ends the reading.
func TestReadAllAsksForMemory(t *testing.T) {
	asked := 0
	got, err := readAll(strings.NewReader(strings.Repeat("x", 5*firstBuffer)), -1, 1<<20, func(bytes int) error {
		asked += bytes
		return nil
	})
	if err != nil || asked != cap(got) {
		t.Errorf("asked for %d bytes, has %d; error %v", asked, cap(got), err)
	}
	reader := &roomReader{give: 1 << 20}
	_, err = readAll(reader, -1, 1<<20, func(bytes int) error {
		if bytes > firstBuffer {
			return ErrBusy
		}
		return nil
	})
	if read := 1<<20 - reader.give; !errors.Is(err, ErrBusy) || read != 2*firstBuffer {
		t.Errorf("%d bytes read, error %v; want %d, ErrBusy", read, err, 2*firstBuffer)
	}
}

// A client that announces much and sends little gets little memory.
func TestReadAllGrowsWithWhatArrives(t *testing.T) {
	for _, sent := range []int{0, firstBuffer / 2, firstBuffer, 5 * firstBuffer} {
		reader := &roomReader{give: sent}
		if _, err := readAll(reader, 1<<30, 1<<30, anySize); !errors.Is(err, io.ErrNoProgress) {
			t.Fatal(err)
		}
		if most := max(firstBuffer, 2*sent); reader.room > most {
			t.Errorf("%d bytes sent, room for %d more, want at most %d", sent, reader.room, most)
		}
	}
}

func TestReadBodyLimit(t *testing.T) {
	const limit = 1000
	rows := []struct {
		name    string
		size    int
		wantErr bool
	}{
		{"below", limit - 1, false},
		{"at", limit, false},
		{"above", limit + 1, true},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/", strings.NewReader(strings.Repeat("x", row.size)))
			r.ContentLength = -1
			held := holding{memory: newMemory(DefaultMemory, 1)}
			body, err := readBody(httptest.NewRecorder(), r, limit, &held)
			if row.wantErr != isMaxBytes(err) || !row.wantErr && len(body) != row.size {
				t.Errorf("%d bytes, error %v", len(body), err)
			}
			if held.bytes > limit+1 || held.bytes < int64(len(body)) {
				t.Errorf("it holds %d bytes, want room for %d", held.bytes, len(body))
			}
		})
	}
}
