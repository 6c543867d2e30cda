package dispatch

import (
	"context"
	"slices"
	"testing"
	"testing/synctest"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/route"
)

// TestCopyOfADeadLetter: the sink gets every letter once, and a copy is stored once, before that,
// where the target asks for one.
func TestCopyOfADeadLetter(t *testing.T) {
	for _, test := range []struct {
		name string
		copy bool
		// sink answers, the last for ever.
		sink []int
		// away is how often the store fails, and full that it has no room.
		away         int
		full         error
		wantRequests int
		wantStored   int
	}{
		{name: "nobody asks for one", sink: []int{202}, wantRequests: 1},
		{name: "one is asked for", copy: true, sink: []int{202}, wantRequests: 1, wantStored: 1},
		{name: "the sink refuses at first", copy: true, sink: []int{503, 503, 202}, wantRequests: 3, wantStored: 1},
		{name: "the sink refuses until the letter is parked", copy: true, sink: append(slices.Repeat([]int{503}, 12), 202), wantRequests: 13, wantStored: 1},
		{name: "the store is away at first", copy: true, sink: []int{202}, away: 3, wantRequests: 1, wantStored: 4},
		{name: "the stream is full", copy: true, sink: []int{202}, full: ErrLettersFull, wantRequests: 1},
		{name: "not even a reference fits", copy: true, sink: []int{503, 202}, full: ErrTooLarge, wantRequests: 2},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld()
				w.hosts[subscriberURL], w.hosts[sinkURL] = status(400), status(test.sink...)
				w.faults["dead letter"] = test.away
				tt := withSink(target("t"))
				tt.DeadLetterCopy = test.copy
				w.publish(tt, "e")
				p := newProcess(w)
				pool, err := NewPool(Config{Opener: p, Store: fullStore{p, test.full}, Sender: p})
				if err != nil {
					t.Fatal(err)
				}
				defer drainNow(pool)
				pool.Sync(t.Context(), []route.Target{tt})
				w.awaitSettled(t, tt)

				if n := w.delivered(sinkURL)["e"]; n != test.wantRequests {
					t.Errorf("%d requests to the sink, want %d", n, test.wantRequests)
				}
				if n := w.count("dead letter"); n != test.wantStored {
					t.Errorf("the store was asked %d times, want %d", n, test.wantStored)
				}
				if len(w.deadLetters) != min(test.wantStored, 1) {
					t.Errorf("%d copies are stored", len(w.deadLetters))
				}
				if test.wantStored > 0 && lastOf(w.steps, "dead letter") > lastOf(w.steps, "send") {
					t.Errorf("the copy is stored after the sink has the letter: %v", w.steps)
				}
			})
		})
	}
}

func lastOf(steps []string, step string) int {
	for n, s := range slices.Backward(steps) {
		if s == step {
			return n
		}
	}
	return -1
}

// fullStore has no room for dead letters, if there is a reason.
type fullStore struct {
	*process
	why error
}

func (s fullStore) DeadLetter(ctx context.Context, t route.Target, w Work) error {
	if s.why != nil {
		return s.why
	}
	return s.process.DeadLetter(ctx, t, w)
}
