package load_test

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/eventing-jetstream/eventing-jetstream/cmd/internal/bench/load"
)

// answers is an ingress that takes some time for each request; the first one may take longer.
type answers struct {
	each, first time.Duration
	mu          sync.Mutex
	dues        []time.Duration
	under, most int
}

func (a *answers) newPost() load.Post {
	return func(first, count int, due time.Duration) load.Outcome {
		a.mu.Lock()
		a.dues = append(a.dues, due)
		a.under++
		a.most = max(a.most, a.under)
		a.mu.Unlock()
		if first == 0 {
			<-time.After(a.first)
		}
		<-time.After(a.each)
		a.mu.Lock()
		a.under--
		a.mu.Unlock()
		return load.Outcome{Status: 202, Accepted: count}
	}
}

// An ingress that stops for a second makes every event late that became due in it: a sender that waited for the ingress would
// have seen one late answer.
func TestAnOpenLoopCountsFromTheSchedule(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := &answers{each: time.Millisecond, first: time.Second}
		s := load.Run(t.Context(), load.Plan{Connections: 1, Rate: 100, PerRequest: 1, Count: 200, Began: time.Now()}, 0, a.newPost)
		if s.Sent != 200 || s.Accepted != 200 {
			t.Fatalf("%+v", s)
		}
		for i, due := range a.dues {
			if want := time.Duration(i) * 10 * time.Millisecond; due != want {
				t.Fatalf("event %d was due at %s, want %s", i, due, want)
			}
		}
		// The delay shrinks by 9 ms with each event: half of all are late, by half a second on average.
		if got := s.Latency.Summary(); got.P90 < 700 || got.Max < 1000 || got.P50 > 120 {
			t.Errorf("%+v", got)
		}
	})
}

func TestAnOpenLoopEndsOnTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := &answers{}
		s := load.Run(t.Context(), load.Plan{Connections: 10, Rate: 100, PerRequest: 1, Duration: 2 * time.Second, Began: time.Now()}, 0, a.newPost)
		if s.Sent < 199 || s.Sent > 201 || s.Span != 2*time.Second {
			t.Errorf("sent %d in %s", s.Sent, s.Span)
		}
	})
}

func TestAClosedLoopKeepsItsConnectionsBusy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := &answers{each: 10 * time.Millisecond}
		p := load.Plan{Connections: 8, PerRequest: 1, Duration: 995 * time.Millisecond, Warmup: 495 * time.Millisecond, Began: time.Now()}
		s := load.Run(t.Context(), p, 0, a.newPost)
		if s.Sent != 800 || a.most != 8 {
			t.Errorf("sent %d, %d at one time", s.Sent, a.most)
		}
		if got := s.Latency.Summary(); got.Count != 400 || got.Max < 9.9 || got.Max > 10.1 {
			t.Errorf("the warm-up is measured too, or from elsewhere: %+v", got)
		}
	})
}

func TestTheLastRequestCarriesWhatIsLeft(t *testing.T) {
	a := &answers{}
	s := load.Run(t.Context(), load.Plan{Connections: 3, PerRequest: 100, Count: 250, Began: time.Now()}, 0, a.newPost)
	if s.Sent != 250 || len(a.dues) != 3 {
		t.Errorf("sent %d in %d requests", s.Sent, len(a.dues))
	}
}

func TestRefusalsAreCountedByStatus(t *testing.T) {
	post := func() load.Post {
		return func(first, count int, _ time.Duration) load.Outcome {
			if first == 3 {
				return load.Outcome{Status: 503}
			}
			return load.Outcome{Status: 202, Accepted: count}
		}
	}
	s := load.Run(t.Context(), load.Plan{Connections: 2, PerRequest: 1, Count: 10, Began: time.Now()}, 0, post)
	if s.Accepted != 9 || s.Refused[503] != 1 {
		t.Errorf("%+v", s)
	}
}

func TestAWindowBoundsWhatIsUnderWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := load.NewWindow(10)
		ctx, cancel := context.WithCancel(t.Context())
		for range 3 { // the last one passes: there was room for some
			if !w.Enter(ctx, 4) {
				t.Fatal("there is room")
			}
		}
		entered := make(chan bool)
		go func() { entered <- w.Enter(ctx, 4) }()
		synctest.Wait()
		select {
		case <-entered:
			t.Fatal("there was no room")
		default:
		}
		w.Leave(4)
		if !<-entered {
			t.Error("there is room again")
		}
		go func() { entered <- w.Enter(ctx, 4) }()
		synctest.Wait()
		cancel()
		if <-entered {
			t.Error("entered after the end")
		}
	})
}

func TestNoWindowBoundsNothing(t *testing.T) {
	w := load.NewWindow(0)
	for range 10_000 {
		if !w.Enter(t.Context(), 1000) {
			t.Fatal("no room")
		}
	}
}
