package replay_test

import (
	"context"
	"errors"
	"testing"
	"time"

	natsjs "github.com/nats-io/nats.go/jetstream"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/buckets"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/handles"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/internal/jstest"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/replay"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/naming"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/route"
)

func TestAReplayIsOfASlice(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.comes("a", "a1", "a2")
	w.comes("b", "b1")
	w.comes("c", "c1") // which the Trigger does not want
	w.comes("a", "a3")
	m, err := w.stream(w.client.Names().Log(w.broker.Key)).GetLastMsgForSubject(jstest.Context(t), ">")
	jstest.Must(t, err)
	middle := m.Time
	for _, test := range []struct {
		name  string
		slice replay.Slice
		want  []string
	}{
		{"all", replay.Slice{}, []string{"a1", "a2", "b1", "a3"}},
		{"from a time", replay.Slice{From: middle}, []string{"a3"}},
		{"until a time", replay.Slice{To: middle}, []string{"a1", "a2", "b1"}},
		{"nothing before", replay.Slice{From: middle.Add(-time.Hour), To: middle.Add(-time.Minute)}, nil},
		{"nothing after", replay.Slice{From: middle.Add(time.Hour)}, nil},
		{"a type", replay.Slice{Types: []string{"b"}}, []string{"b1"}},
		{"types", replay.Slice{Types: []string{"b", "c"}}, []string{"b1"}},
		{"a filter", replay.Slice{Filter: "id = 'a2' OR type = 'c'"}, []string{"a2"}},
	} {
		r := w.look(test.slice)
		count, first, last, err := r.Count(jstest.Context(t))
		if jstest.Must(t, err); count != len(test.want) || (count > 0) == first.IsZero() || last.Before(first) || r.History.Lacks {
			t.Errorf("%s: %d events from %s to %s, want %d; %+v", test.name, count, first, last, len(test.want), r.History)
		}
		w.wants()
		r = w.begin(test.slice)
		w.comes("a", "later, "+test.name) // is no part of it
		w.runs(r)
		if r.Replayed != len(test.want) {
			t.Errorf("%s: %d are replayed, want %d", test.name, r.Replayed, len(test.want))
		}
		w.wants(test.want...)
		w.taken()
		removeLast(t, w)
	}
}

// removeLast removes the last event of the log.
func removeLast(t *testing.T, w *world) {
	t.Helper()
	log := w.stream(w.client.Names().Log(w.broker.Key))
	jstest.Must(t, log.DeleteMsg(jstest.Context(t), log.CachedInfo().State.LastSeq))
}

// A replay is told from the event as it came, and from another replay: NATS drops none of them as the same work.
func TestReplaysAreToldApart(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.comes("a", "1")
	first := w.begin(replay.Slice{})
	w.runs(first)
	second := w.begin(replay.Slice{})
	w.runs(second)
	messages := w.directed()
	if len(messages) != 2 {
		t.Fatalf("%d events are for the Trigger, want one of each replay", len(messages))
	}
	for i, r := range []*replay.Replay{first, second} {
		if got := messages[i].Header.Get("ce-" + replay.Attribute); got != r.Began.Format(time.RFC3339Nano) {
			t.Errorf("replay %d is marked %q, want that of %s", i, got, r.Began)
		}
	}
}

func TestAnInterruptedReplayGoesOn(t *testing.T) {
	t.Parallel()
	const events = 300
	w := newWorld(t)
	w.comes("a", ids(events)...)
	ctx, interrupt := context.WithCancel(t.Context())
	r := w.begin(replay.Slice{})
	err := r.Run(ctx, 0, func(replay.Record) { interrupt() })
	if !errors.Is(err, context.Canceled) || r.Replayed == 0 || r.Replayed == events {
		t.Fatalf("error %v after %d events", err, r.Replayed)
	}
	if err := w.look(replay.Slice{}).Begin(jstest.Context(t), false); !errors.Is(err, replay.ErrUnfinished) {
		t.Errorf("another replay begins with %v, want ErrUnfinished", err)
	}
	again := w.resume()
	if again.Replayed != r.Replayed || !again.Began.Equal(r.Began) {
		t.Errorf("it goes on at %+v, want %+v", again.Record, r.Record)
	}
	w.runs(again)
	if again.Replayed != events {
		t.Errorf("%d are replayed, want %d", again.Replayed, events)
	}
	w.wants(ids(events)...)
	if _, err := replay.Resume(jstest.Context(t), w.client, pay); !errors.Is(err, replay.ErrNoneUnfinished) {
		t.Errorf("a finished replay is resumed with %v, want ErrNoneUnfinished", err)
	}
}

// One that was killed has stored more than is noted.
func TestAKilledReplayRepeatsNothing(t *testing.T) {
	t.Parallel()
	const events = 100
	w := newWorld(t)
	w.comes("a", ids(events)...)
	r := w.begin(replay.Slice{})
	bucket, err := w.client.JetStream().KeyValue(jstest.Context(t), buckets.Handles(w.client))
	jstest.Must(t, err)
	key := handles.ReplayKey(naming.TargetKey(w.key()))
	noted, err := bucket.Get(jstest.Context(t), key)
	jstest.Must(t, err)
	w.runs(r)
	_, err = bucket.Put(jstest.Context(t), key, noted.Value())
	jstest.Must(t, err)
	w.runs(w.resume())
	w.wants(ids(events)...)
}

func TestTwoProcessesDoNotRunOneReplay(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.comes("a", ids(3)...)
	one := w.begin(replay.Slice{})
	two := w.resume()
	w.runs(two)
	if err := one.Run(jstest.Context(t), 0, func(replay.Record) {}); !errors.Is(err, replay.ErrTakenOver) {
		t.Errorf("the first one ends with %v, want ErrTakenOver", err)
	}
	w.wants(ids(3)...)
}

// What waits for the target takes the room of what comes: a replay goes at the pace of the target.
func TestAReplayDoesNotFillTheDirectedStream(t *testing.T) {
	t.Parallel()
	const events, window = 1100, 1024
	w := newWorld(t)
	w.comes("a", ids(events)...)
	ctx, interrupt := context.WithCancel(t.Context())
	r := w.begin(replay.Slice{})
	ended := make(chan error)
	go func() { ended <- r.Run(ctx, 0, func(replay.Record) {}) }()
	jstest.Await(t, "as many wait as may", func() bool {
		return w.stream(w.client.Names().DirectedStream(w.broker.Key)).CachedInfo().State.Msgs >= window
	})
	w.directed()
	interrupt()
	if err := <-ended; !errors.Is(err, context.Canceled) || r.Replayed != window {
		t.Errorf("it ends with %v after %d events, want %d", err, r.Replayed, window)
	}
	w.taken()
	again := w.resume()
	w.runs(again)
	if n := len(w.directed()); n != events-window || again.Replayed != events {
		t.Errorf("%d events come then, and %d in all; want %d and %d", n, again.Replayed, events-window, events)
	}
}

func TestAReplaySaysFromWhenOnThereIsHistory(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.comes("a", ids(5)...)
	log := w.stream(w.client.Names().Log(w.broker.Key))
	second, err := log.GetMsg(jstest.Context(t), log.CachedInfo().State.FirstSeq+1)
	jstest.Must(t, err)
	jstest.Must(t, log.Purge(jstest.Context(t), natsjs.WithPurgeSequence(second.Sequence)))
	if h := w.look(replay.Slice{}).History; !h.Lacks || !h.From.Equal(second.Time) {
		t.Errorf("of all, the history is %+v, want from %s on", h, second.Time)
	}
	if h := w.look(replay.Slice{From: second.Time}).History; h.Lacks {
		t.Errorf("of what is there, the history is %+v", h)
	}
	jstest.Must(t, log.Purge(jstest.Context(t)))
	if h := w.look(replay.Slice{From: second.Time}).History; !h.Lacks || !h.From.IsZero() {
		t.Errorf("of an empty log, the history is %+v", h)
	}
}

func TestWhatCannotBeReplayed(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for name, of := range map[string]replay.Of{
		"no such name":      {Kind: route.KindBroker, Namespace: "shop", Name: "none"},
		"another namespace": {Kind: route.KindBroker, Namespace: "other", Name: "pay"},
		"a Subscription":    {Kind: route.KindChannel, Namespace: "shop", Name: "pay"},
	} {
		if _, err := replay.Look(jstest.Context(t), w.client, of, replay.Slice{}); !errors.Is(err, replay.ErrNoTarget) {
			t.Errorf("%s: error %v, want ErrNoTarget", name, err)
		}
	}
	if _, err := replay.Look(jstest.Context(t), w.client, pay, replay.Slice{Filter: "type ="}); err == nil {
		t.Error("a filter that is none is taken")
	}
}
