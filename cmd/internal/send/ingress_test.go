package send

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/event"
)

// answer is one HTTP answer; status 0 breaks the connection instead.
type answer struct {
	status           int
	retryAfter, body string
}

// ingress decodes what it gets and gives the scripted answers first, then 202.
type ingress struct {
	url     string
	mu      sync.Mutex
	answers []answer
	got     requests
}

// requests is what an ingress has seen.
type requests struct {
	requests     int
	contentTypes []string
	events       map[string]event.Event
}

func newIngress(t *testing.T, answers ...answer) *ingress {
	t.Helper()
	in := &ingress{answers: answers, got: requests{events: map[string]event.Event{}}}
	server := httptest.NewServer(in)
	t.Cleanup(server.Close)
	in.url = server.URL
	return in
}

func (in *ingress) options() Options {
	return Options{
		To: in.url + "/default/default", Mode: Binary, Count: 1, Connections: 1, Timeout: 10 * time.Second,
		Event: Template{Type: "t", Source: "/s"},
	}
}

func (in *ingress) seen() requests {
	in.mu.Lock()
	defer in.mu.Unlock()
	got := in.got
	got.contentTypes, got.events = slices.Clone(got.contentTypes), maps.Clone(got.events)
	return got
}

func (in *ingress) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	in.mu.Lock()
	defer in.mu.Unlock()
	in.got.requests++
	in.got.contentTypes = append(in.got.contentTypes, r.Header.Get("Content-Type"))
	if err := in.store(r); err != nil {
		http.Error(w, err.Error(), http.StatusTeapot)
		return
	}
	next := answer{status: http.StatusAccepted}
	if len(in.answers) > 0 {
		next, in.answers = in.answers[0], in.answers[1:]
	}
	if next.status == 0 {
		panic(http.ErrAbortHandler) //nolint:forbidigo // net/http's way to break a connection
	}
	w.Header().Set("Retry-After", next.retryAfter)
	w.WriteHeader(next.status)
	fmt.Fprint(w, next.body)
}

func (in *ingress) store(r *http.Request) error {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return err
	}
	if !event.IsBatch(r.Header.Get("Content-Type")) {
		e, err := event.FromHTTP(r.Header, body)
		in.got.events[e.Attr("id")] = e
		return err
	}
	if !json.Valid(body) {
		return fmt.Errorf("not JSON: %s", body)
	}
	events, err := event.DecodeBatch(r.Header, body)
	for _, e := range events {
		in.got.events[e.Attr("id")] = e
	}
	return err
}
