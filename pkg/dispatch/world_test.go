package dispatch

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/delivery"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/event"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/route"
)

const (
	subscriberURL = "http://subscriber.test/"
	sinkURL       = "http://sink.test/"
)

var (
	errInjected = errors.New("injected failure")
	errDead     = errors.New("this process is dead")
)

// world is what outlives a process: the logs and directed messages of all targets, the stores, subscribers and sinks.
type world struct {
	hosts map[string]host // set before the first request

	mu          sync.Mutex
	changed     chan struct{}
	logs        map[string]*queue
	directed    map[string]*queue
	replies     map[string]event.Event
	deadLetters map[string]Work
	requests    map[string][]Request // by host, in order
	faults      map[string]int       // step -> how often it fails yet
	steps       []string
	opens       int  // sources of logs that were opened
	overlaps    int  // sources that were opened while another one of the same queue was
	outdated    bool // the targets may not be those in force
}

// host answers a request; n counts earlier requests for the same event.
type host func(ctx context.Context, n int, r Request) Response

func newWorld() *world {
	return &world{
		hosts: map[string]host{}, changed: make(chan struct{}), logs: map[string]*queue{}, directed: map[string]*queue{},
		replies: map[string]event.Event{}, deadLetters: map[string]Work{}, requests: map[string][]Request{}, faults: map[string]int{},
	}
}

// status makes a host that answers with these codes, one after the other for each event, the last one for ever.
func status(codes ...int) host {
	return func(_ context.Context, n int, _ Request) Response {
		return Response{StatusCode: codes[min(n, len(codes)-1)], Header: http.Header{}}
	}
}

// hang makes a host that never answers.
func hang(ctx context.Context, _ int, _ Request) Response {
	<-ctx.Done()
	return Response{Err: ctx.Err()}
}

func testEvent(id string) event.Event {
	return event.Event{
		Attributes: []event.Attribute{
			{Name: event.SpecVersion, Value: "1.0"}, {Name: event.ID, Value: id}, {Name: event.Source, Value: "/test"},
			{Name: event.Type, Value: "test.type"}, {Name: event.HopCount, Value: "10"},
		},
		Data: []byte("data of " + id),
	}
}

func target(name string) route.Target {
	return route.Target{
		Key:        route.TargetKey{Address: route.Key{Kind: route.KindBroker, Namespace: "ns", Name: "broker"}, Namespace: "ns", Name: name},
		Consumer:   name,
		Subscriber: &route.Destination{URL: subscriberURL},
	}
}

func withSink(t route.Target) route.Target {
	t.DeadLetter = &route.Destination{URL: sinkURL}
	return t
}

func withPolicy(t route.Target, p delivery.Policy) route.Target {
	t.Delivery = p
	return t
}

// publish appends events to a target's log, with these ids.
func (w *world) publish(t route.Target, ids ...string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	q := w.queue(w.logs, t)
	for _, id := range ids {
		q.items = append(q.items, &item{work: Work{Event: testEvent(id), Sequence: uint64(len(q.items) + 1)}})
	}
	w.change()
}

func (w *world) queue(in map[string]*queue, t route.Target) *queue {
	q := in[t.Key.Name]
	if q == nil {
		q = &queue{}
		in[t.Key.Name] = q
	}
	return q
}

// change wakes everyone who waits. The caller holds the lock.
func (w *world) change() {
	close(w.changed)
	w.changed = make(chan struct{})
}

// await waits, for at most a (virtual) week, until the condition holds.
func (w *world) await(t *testing.T, what string, condition func() bool) {
	t.Helper()
	deadline := time.After(7 * 24 * time.Hour)
	for {
		w.mu.Lock()
		holds, changed := condition(), w.changed
		w.mu.Unlock()
		if holds {
			return
		}
		select {
		case <-changed:
		case <-deadline:
			w.mu.Lock()
			defer w.mu.Unlock()
			t.Fatalf("never: %s; last steps: %v", what, w.steps[max(0, len(w.steps)-20):])
		}
	}
}

// awaitSettled waits until every message of the target is acknowledged.
func (w *world) awaitSettled(t *testing.T, target route.Target) {
	t.Helper()
	w.await(t, "all messages acknowledged", func() bool {
		return w.queue(w.logs, target).unacked() == 0 && w.queue(w.directed, target).unacked() == 0
	})
}

// delivered returns how many requests for each event the host got.
func (w *world) delivered(url string) map[string]int {
	w.mu.Lock()
	defer w.mu.Unlock()
	counts := map[string]int{}
	for _, r := range w.requests[url] {
		counts[r.Event.Attr(event.ID)]++
	}
	return counts
}

// count returns how often a step was begun; "after park" counts what was parked.
func (w *world) count(step string) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	n := 0
	for _, s := range w.steps {
		if s == step {
			n++
		}
	}
	return n
}

// queue is a work queue: one holder per message, and back it goes when the holder gives it up.
type queue struct {
	items []*item
	open  int // sources
}

type item struct {
	work   Work
	at     time.Time
	holder *lease
	acked  bool
}

func (q *queue) unacked() int {
	n := 0
	for _, i := range q.items {
		if !i.acked {
			n++
		}
	}
	return n
}

// startPool returns a pool whose ports are the process, drained at the end of the test.
func startPool(t *testing.T, p *process) *Pool {
	t.Helper()
	pool, err := NewPool(Config{Opener: p, Store: p, Sender: p, Current: func() bool {
		p.mu.Lock()
		defer p.mu.Unlock()
		return !p.outdated
	}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { drainNow(pool) })
	return pool
}

// drainNow drains without giving requests in flight any time.
func drainNow(pool *Pool) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	pool.Drain(ctx)
}
