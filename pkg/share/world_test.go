package share_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/cesql"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/dispatch"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/event"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/naming"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/route"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/share"
)

var (
	broker      = route.Key{Kind: route.KindBroker, Namespace: "ns", Name: "broker"}
	errInjected = errors.New("injected failure")
)

// world is a group with its environment: Park, the goroutines, and More.
type world struct {
	t       testing.TB
	names   naming.Names
	group   *share.Group
	running sync.WaitGroup
	log     bytes.Buffer // to be read when the group is at rest
	sources map[string]dispatch.Source
	began   time.Time
	// sequence is that of the last message.
	sequence uint64
	// outdated says that Current is false.
	outdated bool
	logBytes int64
	// keyKnown says that KEY_FITS can decide.
	keyKnown bool
	// unmatched counts the events that no member wants.
	unmatched int

	mu     sync.Mutex
	parked []string
	full   bool
	mores  int
	// refuses are the targets for which Park fails, by name.
	refuses map[string]bool
}

func newWorld(t testing.TB) *world {
	t.Helper()
	w := &world{t: t, sources: map[string]dispatch.Source{}, refuses: map[string]bool{}, began: time.Now()}
	w.names = namesOf(t)
	w.group = share.New(share.Config{
		Park: w.park, Go: w.running.Go, More: w.more, Bytes: share.MaxBytes, Current: func() bool { return !w.outdated },
		LogBytes: func() int64 { return w.logBytes },
		Subjects: w.names.Subjects,
		Functions: []cesql.Function{{Name: "KEY_FITS", Returns: cesql.Boolean, Call: func([]cesql.Value) (cesql.Value, cesql.Errors) {
			if !w.keyKnown {
				return cesql.BooleanValue(false), cesql.Undecided
			}
			return cesql.BooleanValue(true), 0
		}}},
		Logger: slog.New(slog.NewTextHandler(&w.log, nil)),
	})
	return w
}

func namesOf(t testing.TB) naming.Names {
	t.Helper()
	names, err := naming.New(naming.DefaultPrefix)
	if err != nil {
		t.Fatal(err)
	}
	return names
}

// inWorld runs the test in a bubble with a group that follows the targets. No goroutine outlives
// it.
func inWorld(t *testing.T, targets []route.Target, test func(t *testing.T, w *world)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.follow(targets...)
		defer w.end()
		test(t, w)
	})
}

func (w *world) end() {
	w.group.Close()
	for _, s := range w.sources {
		s.Stop()
	}
	w.running.Wait()
}

func (w *world) park(_ context.Context, t route.Target, work dispatch.Work, notBefore time.Time) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.refuses[t.Key.Name] {
		return errInjected
	}
	if w.full {
		return dispatch.ErrParkFull
	}
	w.parked = append(w.parked, fmt.Sprintf("%d for %s after %s", work.Sequence, t.Key.Name, notBefore.Sub(w.began)))
	return nil
}

func (w *world) more() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.mores++
}

// moresSince returns how often More was called since the last moresSince.
func (w *world) moresSince() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	n := w.mores
	w.mores = 0
	return n
}

func (w *world) refuse(refused bool, names ...string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, name := range names {
		w.refuses[name] = refused
	}
}

func (w *world) follow(targets ...route.Target) {
	w.group.Follow(targets, nil)
}

// take deals the next message, with an event of this type.
func (w *world) take(eventType string) *lease {
	return w.takeWork(dispatch.Work{Event: typed(eventType)}, eventType)
}

// takeWork deals the work under the next sequence, on the subject of the type.
func (w *world) takeWork(work dispatch.Work, eventType string) *lease {
	w.sequence++
	work.Sequence = w.sequence
	l := &lease{}
	if !w.group.Take(w.names.EventSubject(broker, eventType), dispatch.Message{Work: work, Lease: l}) {
		w.unmatched++
	}
	synctest.Wait()
	return l
}

// open opens the member's part, or returns the source that is open.
func (w *world) open(name string) dispatch.Source {
	w.t.Helper()
	if s := w.sources[name]; s != nil {
		return s
	}
	s := w.group.Open(keyOf(name))
	w.sources[name] = s
	return s
}

func (w *world) stop(name string) {
	w.sources[name].Stop()
	delete(w.sources, name)
	synctest.Wait()
}

// next returns what waits for the member, if anything does.
func (w *world) next(name string) (dispatch.Message, bool) {
	w.t.Helper()
	s := w.open(name)
	synctest.Wait()
	return s.Take()
}

// all takes everything that waits for the member.
func (w *world) all(name string) []dispatch.Message {
	w.t.Helper()
	var messages []dispatch.Message
	for m, ok := w.next(name); ok; m, ok = w.next(name) {
		messages = append(messages, m)
	}
	return messages
}

// ackAll takes and acknowledges everything that waits for the member, and returns how much.
func (w *world) ackAll(name string) int {
	w.t.Helper()
	messages := w.all(name)
	for _, m := range messages {
		w.must(m.Ack())
	}
	synctest.Wait()
	return len(messages)
}

func (w *world) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

// wantParked compares what is parked when the group is at rest, in any order.
func (w *world) wantParked(want ...string) {
	w.t.Helper()
	synctest.Wait()
	w.mu.Lock()
	got := slices.Sorted(slices.Values(w.parked))
	w.mu.Unlock()
	slices.Sort(want)
	if !slices.Equal(got, want) {
		w.t.Errorf("parked: %q, want %q", got, want)
	}
}

// wantEmpty fails unless the group holds nothing.
func (w *world) wantEmpty() {
	w.t.Helper()
	if s := w.group.Space(); s.Bytes != share.MaxBytes {
		w.t.Errorf("%d bytes are free, want the group empty", s.Bytes)
	}
}

// sequencesOf returns the messages' sequences in order.
func sequencesOf(messages []dispatch.Message) []uint64 {
	var sequences []uint64
	for _, m := range messages {
		sequences = append(sequences, m.Sequence)
	}
	slices.Sort(sequences)
	return sequences
}

// lease records what becomes of a message.
type lease struct {
	ackFails, releaseFails bool

	mu    sync.Mutex
	steps []string
}

func (l *lease) Ack() error { return l.step("acked", l.ackFails) }

func (l *lease) Release(after time.Duration) error {
	return l.step(fmt.Sprintf("released for %s", after), l.releaseFails)
}

func (l *lease) step(name string, fails bool) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if fails {
		l.steps = append(l.steps, name+" in vain")
		return errInjected
	}
	l.steps = append(l.steps, name)
	return nil
}

// want fails unless exactly this has become of the message when the group is at rest.
func (l *lease) want(t testing.TB, steps ...string) {
	t.Helper()
	synctest.Wait()
	l.mu.Lock()
	defer l.mu.Unlock()
	if !slices.Equal(l.steps, steps) {
		t.Errorf("message: %q, want %q", l.steps, steps)
	}
}

func typed(eventType string) event.Event {
	return event.Event{Attributes: []event.Attribute{
		{Name: event.SpecVersion, Value: "1.0"}, {Name: event.ID, Value: "1"}, {Name: event.Source, Value: "/test"},
		{Name: event.Type, Value: eventType},
	}}
}

func keyOf(name string) route.TargetKey {
	return route.TargetKey{Address: broker, Namespace: "ns", Name: name}
}
