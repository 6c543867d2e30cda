package dispatch_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/deliver"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/delivery"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/dispatch"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/event"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/route"
)

// TestOverHTTP runs the pool with the real sender against real servers: events are retried, answered and dead-lettered, and
// their bodies arrive byte for byte.
func TestOverHTTP(t *testing.T) {
	const events = 300
	recorder := &recorder{bodies: map[string]string{}}
	subscriber := httptest.NewServer(http.HandlerFunc(recorder.subscribe))
	defer subscriber.Close()
	sink := httptest.NewServer(http.HandlerFunc(recorder.sink))
	defer sink.Close()

	tt := route.Target{
		Key:        route.TargetKey{Address: route.Key{Kind: route.KindBroker, Namespace: "ns", Name: "b"}, Namespace: "ns", Name: "t"},
		Consumer:   "t",
		Subscriber: &route.Destination{URL: subscriber.URL},
		DeadLetter: &route.Destination{URL: sink.URL + "/sink"},
		Delivery:   delivery.Policy{Retry: 2, Backoff: delivery.ExponentialBackoff, Delay: time.Millisecond},
	}
	broker := newMemory(events)
	sender := deliver.New(deliver.Config{})
	defer sender.Close()
	pool, err := dispatch.NewPool(dispatch.Config{Opener: broker, Store: broker, Sender: sender})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	pool.Sync(ctx, []route.Target{tt})
	select {
	case <-broker.done:
	case <-ctx.Done():
		t.Errorf("%d of %d events settled", broker.acked.Load(), events)
	}
	pool.Drain(ctx)

	if served := pool.Served(); len(served) != 0 {
		t.Errorf("still served: %v", served)
	}
	recorder.mu.Lock()
	defer recorder.mu.Unlock()
	for i := range events {
		id := fmt.Sprint(i)
		if got, want := recorder.bodies[id], body(i); got != want {
			t.Errorf("event %s arrived as %q, want %q", id, got, want)
		}
	}
	if got := recorder.deadLetters.Load(); got != events/3 {
		t.Errorf("%d dead letters, want %d", got, events/3)
	}
	if got := broker.replies.Load(); got != events/3 {
		t.Errorf("%d replies, want %d", got, events/3)
	}
}

func body(i int) string { return fmt.Sprintf("\x00\xff{%d", i) }

// recorder is a subscriber that answers by the event's number: a third is replied to, a third fails once, a third is refused
// for good and has to turn up at the sink.
type recorder struct {
	deadLetters atomic.Int64

	mu     sync.Mutex
	bodies map[string]string
}

func (r *recorder) subscribe(w http.ResponseWriter, request *http.Request) {
	id := request.Header.Get("Ce-Id")
	data, err := io.ReadAll(request.Body)
	if err != nil || request.Header.Get("Prefer") != "reply" || request.Header.Get("Kn-Namespace") != "ns" {
		http.Error(w, "not as it should be", http.StatusBadRequest)
		return
	}
	r.mu.Lock()
	_, again := r.bodies[id]
	r.bodies[id] = string(data)
	r.mu.Unlock()
	switch {
	case request.Header.Get("Ce-Kind") == "reply":
		w.Header().Set("Ce-Specversion", "1.0")
		w.Header().Set("Ce-Id", "reply to "+id)
		w.Header().Set("Ce-Source", "/subscriber")
		w.Header().Set("Ce-Type", "reply")
		fmt.Fprint(w, "pong")
	case request.Header.Get("Ce-Kind") == "retry" && !again:
		w.WriteHeader(http.StatusServiceUnavailable)
	case request.Header.Get("Ce-Kind") == "refuse":
		http.Error(w, "never", http.StatusForbidden)
	}
}

func (r *recorder) sink(w http.ResponseWriter, request *http.Request) {
	if request.Header.Get("Ce-Knativeerrorcode") == "403" && request.Header.Get("Ce-Kind") == "refuse" {
		r.deadLetters.Add(1)
	}
	w.WriteHeader(http.StatusAccepted)
}

// memory is a log of events for one target, and the store for what becomes of them.
type memory struct {
	messages       chan dispatch.Message
	acked, replies atomic.Int64
	wanted         int64
	done           chan struct{}
}

func newMemory(events int) *memory {
	m := &memory{messages: make(chan dispatch.Message, events), wanted: int64(events), done: make(chan struct{})}
	for i := range events {
		m.messages <- dispatch.Message{Lease: m, Work: dispatch.Work{Sequence: uint64(i + 1), Event: event.Event{
			Attributes: []event.Attribute{
				{Name: event.SpecVersion, Value: "1.0"}, {Name: event.ID, Value: fmt.Sprint(i)}, {Name: event.Source, Value: "/test"},
				{Name: event.Type, Value: "t"}, {Name: "kind", Value: []string{"reply", "retry", "refuse"}[i%3]},
			},
			Data: []byte(body(i)),
		}}}
	}
	return m
}

func (m *memory) Ack() error {
	if m.acked.Add(1) == m.wanted {
		close(m.done)
	}
	return nil
}

func (m *memory) Release(time.Duration) error { return nil }

func (m *memory) Take() (dispatch.Message, bool) {
	select {
	case one := <-m.messages:
		return one, true
	default:
		return dispatch.Message{}, false
	}
}

func (m *memory) Ready() <-chan struct{} { return nil }

func (m *memory) Stop() {}

func (m *memory) Log(route.Target) dispatch.Source { return m }

func (m *memory) Directed(route.Target) dispatch.Source { return &memory{} }

func (m *memory) Reply(_ context.Context, _ route.Target, _ dispatch.Work, reply event.Event) error {
	if reply.Attr(event.Type) == "reply" && reply.Attr(event.HopCount) == "254" {
		m.replies.Add(1)
	}
	return nil
}

func (m *memory) DeadLetter(context.Context, route.Target, dispatch.Work) error {
	return fmt.Errorf("there is a sink")
}

func (m *memory) Park(context.Context, route.Target, dispatch.Work, time.Time) error {
	return fmt.Errorf("nothing waits for long")
}
