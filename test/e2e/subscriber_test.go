package e2e

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"
	"time"
)

// visit is one request that a subscriber got.
type visit struct {
	header http.Header
	body   []byte
	at     time.Time
}

func (v visit) id() string { return v.header.Get("ce-id") }

// answers tells what a path of a subscriber answers to its nth visit, counted from 1.
type answers func(w http.ResponseWriter, r *http.Request, nth int)

// subscriber keeps every request that it gets, by path: each Trigger and each dead letter sink of a test has a path of its own.
type subscriber struct {
	*httptest.Server
	mu     sync.Mutex
	visits map[string][]visit
}

// subscribe starts a subscriber. A path that has no answers says 200.
func subscribe(t *testing.T, by map[string]answers) *subscriber {
	t.Helper()
	s := &subscriber{visits: map[string][]visit{}}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body) // a request that breaks off is a visit too
		s.mu.Lock()
		s.visits[r.URL.Path] = append(s.visits[r.URL.Path], visit{header: r.Header, body: body, at: time.Now()})
		nth := len(s.visits[r.URL.Path])
		s.mu.Unlock()
		if answer := by[r.URL.Path]; answer != nil {
			answer(w, r, nth)
		}
	}))
	t.Cleanup(s.Close)
	return s
}

// at returns the visits to the path so far.
func (s *subscriber) at(path string) []visit {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.visits[path])
}

// of returns the visits of one event to the path so far.
func (s *subscriber) of(path, id string) []visit {
	return slices.DeleteFunc(s.at(path), func(v visit) bool { return v.id() != id })
}

// gets waits until the path was visited so often, and returns the visits.
func (s *subscriber) gets(t *testing.T, path string, want int) []visit {
	t.Helper()
	eventually(t, 20*time.Second, fmt.Sprintf("%s gets %d requests", path, want), func() error {
		if n := len(s.at(path)); n < want {
			return fmt.Errorf("%d requests", n)
		}
		return nil
	})
	return s.at(path)
}

// getsEvent waits until the event has come to the path, and returns its first visit.
func (s *subscriber) getsEvent(t *testing.T, path, id string) visit {
	t.Helper()
	eventually(t, 20*time.Second, "event "+id+" comes to "+path, func() error {
		if len(s.of(path, id)) == 0 {
			return fmt.Errorf("%d others came", len(s.at(path)))
		}
		return nil
	})
	return s.of(path, id)[0]
}

// says answers with the status, the body, and headers in pairs.
func says(status int, body string, pairs ...string) answers {
	return func(w http.ResponseWriter, _ *http.Request, _ int) {
		for name, values := range headers(pairs...) {
			w.Header()[name] = values
		}
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}
}

// atFirst gives the first so many visits another answer.
func atFirst(visits int, first, then answers) answers {
	return func(w http.ResponseWriter, r *http.Request, nth int) {
		if nth <= visits {
			first(w, r, nth)
			return
		}
		then(w, r, nth)
	}
}

// hangs answers nothing until the client gives up.
func hangs(_ http.ResponseWriter, r *http.Request, _ int) { <-r.Context().Done() }

// breaks ends the connection without an answer.
func breaks(w http.ResponseWriter, _ *http.Request, _ int) { hijack(w, "") }

// garbles answers something that is no HTTP, with line breaks in it.
func garbles(w http.ResponseWriter, _ *http.Request, _ int) { hijack(w, "GARBLE\r\x01GARBLE\n\n") }

// hijack writes the text to the connection and closes it.
func hijack(w http.ResponseWriter, text string) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return // the request then succeeds, and the test does not
	}
	defer conn.Close()
	_, _ = io.WriteString(conn, text)
}

// until gives one answer before the gate is closed and 200 after it. An answer that hangs ends with the gate.
func until(gate <-chan struct{}, before answers) answers {
	return func(w http.ResponseWriter, r *http.Request, nth int) {
		select {
		case <-gate:
		default:
			before(w, r, nth)
		}
	}
}

// waits answers 200 when the gate is closed.
func waits(gate <-chan struct{}) answers {
	return func(_ http.ResponseWriter, r *http.Request, _ int) {
		select {
		case <-gate:
		case <-r.Context().Done():
		}
	}
}
