package deliver_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/deliver"
)

const endless = 5 << 30

func TestResponseBodyIsBounded(t *testing.T) {
	const limit = 10_000
	for _, test := range []struct {
		name           string
		status, length int
		wantBytes      int
		wantTruncated  bool
	}{
		{name: "no body", status: 204},
		{name: "empty", status: 200},
		{name: "a reply below the limit", status: 200, length: limit - 1, wantBytes: limit - 1},
		{name: "a reply at the limit", status: 200, length: limit, wantBytes: limit},
		{name: "a reply over the limit", status: 200, length: limit + 1, wantBytes: limit, wantTruncated: true},
		{name: "201 may be a reply", status: 201, length: limit, wantBytes: limit},
		{name: "202 is no reply", status: 202, length: limit, wantBytes: 4096, wantTruncated: true},
		{name: "a short failure", status: 500, length: 4096, wantBytes: 4096},
		{name: "a long failure", status: 500, length: 4097, wantBytes: 4096, wantTruncated: true},
		{name: "a redirect", status: 302, length: 9000, wantBytes: 4096, wantTruncated: true},
	} {
		t.Run(test.name, func(t *testing.T) {
			body := strings.Repeat("abcdefghij", test.length/10+1)[:test.length]
			s := serve(t, answer(test.status, body))
			response := newSender(t, deliver.Config{ReplyLimit: limit}).Send(t.Context(), to(s.URL))
			if response.Err != nil || response.StatusCode != test.status {
				t.Fatalf("status %d, %v", response.StatusCode, response.Err)
			}
			if string(response.Body) != body[:test.wantBytes] || response.Truncated != test.wantTruncated {
				t.Errorf("%d bytes, truncated %t; want %d, %t", len(response.Body), response.Truncated, test.wantBytes, test.wantTruncated)
			}
		})
	}
}

func TestEndlessBodyLeavesMemoryFlat(t *testing.T) {
	for name, status := range map[string]int{"reply": 200, "accepted": 202, "failure": 500} {
		t.Run(name, func(t *testing.T) {
			done := make(chan struct{})
			s := serve(t, func(w http.ResponseWriter, _ *http.Request) {
				defer close(done)
				w.WriteHeader(status)
				pour(w, endless)
			})
			sender := newSender(t, deliver.Config{ReplyLimit: 1 << 20})
			before := allocated()
			response := sender.Send(t.Context(), to(s.URL))
			<-done // the subscriber found its connection closed
			if used := allocated() - before; used > 16<<20 {
				t.Errorf("%d bytes allocated", used)
			}
			if response.StatusCode != status || !response.Truncated || response.Err != nil {
				t.Errorf("status %d, truncated %t, %v", response.StatusCode, response.Truncated, response.Err)
			}
		})
	}
}

func TestBinarySendDoesNotCopyTheData(t *testing.T) {
	s := serve(t, answer(200, ""))
	sender := newSender(t, deliver.Config{})
	request := to(s.URL)
	request.Event.Data = make([]byte, 16<<20)
	before := allocated()
	if response := sender.Send(t.Context(), request); response.Err != nil {
		t.Fatal(response.Err)
	}
	if used := allocated() - before; used > 4<<20 {
		t.Errorf("%d bytes allocated to send %d", used, len(request.Event.Data))
	}
}

// allocated returns the bytes allocated since the start of the program, freed ones included.
func allocated() uint64 {
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return stats.TotalAlloc
}

func TestEndlessHeadersFail(t *testing.T) {
	s := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		connection, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			return
		}
		defer connection.Close()
		_, _ = io.WriteString(connection, "HTTP/1.1 200 OK\r\nX: ")
		pour(connection, endless)
	})
	before := allocated()
	response := newSender(t, deliver.Config{}).Send(t.Context(), to(s.URL))
	if response.Err == nil {
		t.Errorf("status %d without an error", response.StatusCode)
	}
	if used := allocated() - before; used > 16<<20 {
		t.Errorf("%d bytes allocated", used)
	}
}

func TestTheContextEndsTheExchange(t *testing.T) {
	for _, test := range []struct {
		name   string
		handle func(w http.ResponseWriter)
		want   error
		status int
	}{
		{name: "no answer", want: context.DeadlineExceeded},
		{name: "a reply that stalls", want: context.DeadlineExceeded, handle: func(w http.ResponseWriter) {
			_, _ = io.WriteString(w, "a part")
		}},
		{name: "a failure that stalls still has its status", status: 400, handle: func(w http.ResponseWriter) {
			w.WriteHeader(400)
			_, _ = io.WriteString(w, "a part")
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			end := make(chan struct{})
			s := serve(t, func(w http.ResponseWriter, r *http.Request) {
				_, _ = io.Copy(io.Discard, r.Body)
				if test.handle != nil {
					test.handle(w)
					_ = http.NewResponseController(w).Flush()
				}
				<-end
			})
			defer close(end)
			ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
			defer cancel()
			response := newSender(t, deliver.Config{}).Send(ctx, to(s.URL))
			if !errors.Is(response.Err, test.want) || response.StatusCode != test.status {
				t.Fatalf("status %d, %v; want %d, %v", response.StatusCode, response.Err, test.status, test.want)
			}
			if test.status != 0 && (string(response.Body) != "a part" || !response.Truncated) {
				t.Errorf("body %q, truncated %t", response.Body, response.Truncated)
			}
		})
	}
}

// Send returns a failure without waiting for the stalled rest of its body.
func TestStalledRestOfAFailureIsNotRead(t *testing.T) {
	end := make(chan struct{})
	s := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(503)
		_, _ = io.WriteString(w, strings.Repeat("x", 5000))
		_ = http.NewResponseController(w).Flush()
		<-end
	})
	defer close(end)
	response := newSender(t, deliver.Config{}).Send(t.Context(), to(s.URL))
	if response.StatusCode != 503 || len(response.Body) != 4096 || !response.Truncated {
		t.Errorf("status %d, %d bytes, truncated %t, %v", response.StatusCode, len(response.Body), response.Truncated, response.Err)
	}
}

func TestBrokenBody(t *testing.T) {
	for _, test := range []struct {
		name    string
		status  string
		wantErr bool
		want    int
	}{
		{name: "of a possible reply", status: "200 OK", wantErr: true},
		{name: "of an accepted event", status: "202 Accepted", want: 202},
		{name: "of a failure", status: "422 Unprocessable Entity", want: 422},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := serve(t, func(w http.ResponseWriter, _ *http.Request) {
				connection, _, err := http.NewResponseController(w).Hijack()
				if err != nil {
					return
				}
				_, _ = io.WriteString(connection, "HTTP/1.1 "+test.status+"\r\nContent-Length: 100\r\n\r\na part")
				_ = connection.Close()
			})
			response := newSender(t, deliver.Config{}).Send(t.Context(), to(s.URL))
			if (response.Err != nil) != test.wantErr || response.StatusCode != test.want {
				t.Fatalf("status %d, %v", response.StatusCode, response.Err)
			}
			if test.wantErr && !errors.Is(response.Err, io.ErrUnexpectedEOF) {
				t.Errorf("error %v, want that the body ended early", response.Err)
			}
			if !test.wantErr && (string(response.Body) != "a part" || !response.Truncated) {
				t.Errorf("body %q, truncated %t", response.Body, response.Truncated)
			}
		})
	}
}

func TestSwitchingProtocolsEndsAtOnce(t *testing.T) {
	end := make(chan struct{})
	s := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		connection, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			return
		}
		defer connection.Close()
		_, _ = io.WriteString(connection, "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n")
		<-end
	})
	defer close(end)
	response := newSender(t, deliver.Config{}).Send(t.Context(), to(s.URL))
	if response.StatusCode != 101 || response.Err != nil {
		t.Errorf("status %d, %v", response.StatusCode, response.Err)
	}
}
