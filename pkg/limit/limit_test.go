package limit

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
)

// acquire takes n slots, all of which must be free.
func acquire(t *testing.T, l *Limiter, n int) {
	t.Helper()
	for range n {
		if err := l.Acquire(t.Context()); err != nil {
			t.Fatalf("Acquire() = %v, want a slot", err)
		}
	}
}

func TestLimits(t *testing.T) {
	for _, test := range []struct {
		name              string
		limit, want, half int
	}{
		{name: "negative counts as one", limit: -3, want: 1, half: 1},
		{name: "zero counts as one", limit: 0, want: 1, half: 1},
		{name: "one", limit: 1, want: 1, half: 1},
		{name: "odd rounds half up", limit: 5, want: 5, half: 3},
		{name: "even", limit: 100, want: 100, half: 50},
	} {
		t.Run(test.name, func(t *testing.T) {
			l := New(test.limit)
			for i := range test.want {
				if !l.TryAcquire() {
					t.Fatalf("slot %d of %d refused", i+1, test.want)
				}
			}
			if l.TryAcquire() {
				t.Fatalf("slot %d granted beyond the limit", test.want+1)
			}
			if got := l.InUse(); got != test.want {
				t.Errorf("InUse() = %d, want %d", got, test.want)
			}
			if got := Half(test.limit); got != test.half {
				t.Errorf("Half(%d) = %d, want %d", test.limit, got, test.half)
			}
		})
	}
}

func TestAcquireIsFirstInFirstOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const waiters = 20
		l := New(1)
		acquire(t, l, 1)
		order := make(chan int, waiters)
		for i := range waiters {
			go func() {
				if err := l.Acquire(t.Context()); err != nil {
					t.Errorf("waiter %d: %v", i, err)
				}
				order <- i
			}()
			synctest.Wait() // in line before the next one comes
		}
		if l.TryAcquire() {
			t.Fatal("TryAcquire passed the line")
		}
		for want := range waiters {
			l.Release()
			if got := <-order; got != want {
				t.Fatalf("slot %d went to waiter %d", want, got)
			}
		}
		l.Release()
		if got := l.InUse(); got != 0 {
			t.Errorf("InUse() = %d after the last release", got)
		}
	})
}

func TestANewcomerDoesNotPassTheLine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := New(1)
		acquire(t, l, 1)
		ctx, giveUp := context.WithCancel(t.Context())
		first, second := make(chan error, 1), make(chan error, 1)
		go func() { first <- l.Acquire(ctx) }()
		synctest.Wait()
		go func() { second <- l.Acquire(t.Context()) }()
		synctest.Wait()

		giveUp()
		if err := <-first; !errors.Is(err, context.Canceled) {
			t.Fatalf("first waiter: %v, want context.Canceled", err)
		}
		l.Release()
		if l.TryAcquire() {
			t.Error("a newcomer passed the second waiter")
		}
		if err := <-second; err != nil {
			t.Errorf("second waiter: %v", err)
		}
		if got := l.InUse(); got != 1 {
			t.Errorf("InUse() = %d, want 1", got)
		}
	})
}

func TestAcquireWithEndedContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	l := New(1)
	if err := l.Acquire(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("Acquire() = %v, want context.Canceled", err)
	}
	if got := l.InUse(); got != 0 {
		t.Errorf("InUse() = %d, want 0", got)
	}
}

// A slot that is granted while its waiter gives up goes to the next waiter.
func TestASlotGrantedTooLateIsPassedOn(t *testing.T) {
	l := New(1)
	acquire(t, l, 1)
	late, next := make(chan struct{}), make(chan struct{})
	place := l.waiting.PushBack(late)
	l.waiting.PushBack(next)

	l.Release()
	<-late
	l.leave(place)

	select {
	case <-next:
	default:
		t.Fatal("the slot was lost")
	}
	if got := l.InUse(); got != 1 {
		t.Errorf("InUse() = %d, want 1", got)
	}
}

func TestSetLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := New(1)
		acquire(t, l, 1)
		var admitted atomic.Int32
		for range 3 {
			go func() {
				if l.Acquire(t.Context()) == nil {
					admitted.Add(1)
				}
			}()
		}
		synctest.Wait()

		l.SetLimit(3)
		synctest.Wait()
		if got := admitted.Load(); got != 2 {
			t.Fatalf("raised to 3: %d waiters admitted, want 2", got)
		}
		l.SetLimit(2)
		l.Release()
		synctest.Wait()
		if got := admitted.Load(); got != 2 || l.InUse() != 2 {
			t.Fatalf("lowered to 2: %d admitted, %d in use; want 2 and 2", got, l.InUse())
		}
		l.Release()
		synctest.Wait()
		if got := admitted.Load(); got != 3 || l.InUse() != 2 {
			t.Fatalf("after a release: %d admitted, %d in use; want 3 and 2", got, l.InUse())
		}
	})
}

func TestReleaseWithoutAcquireDoesNotRaiseTheLimit(t *testing.T) {
	l := New(1)
	l.Release()
	if !l.TryAcquire() || l.TryAcquire() {
		t.Error("the limit is no longer one")
	}
}

func TestTheLimitHoldsUnderLoad(t *testing.T) {
	const limit, workers, rounds = 4, 32, 300
	l := New(limit)
	var running atomic.Int32
	var all sync.WaitGroup
	for worker := range workers {
		all.Go(func() {
			for round := range rounds {
				ctx, cancel := context.WithCancel(t.Context())
				if (worker+round)%5 == 0 {
					go cancel() // some give up at a random moment
				}
				if l.Acquire(ctx) == nil {
					if n := running.Add(1); n > limit {
						t.Errorf("%d run at once, the limit is %d", n, limit)
					}
					running.Add(-1)
					l.Release()
				}
				cancel()
			}
		})
	}
	all.Wait()
	if got := l.InUse(); got != 0 {
		t.Errorf("InUse() = %d after all work", got)
	}
	if got := l.waiting.Len(); got != 0 {
		t.Errorf("%d waiters left behind", got)
	}
}

func BenchmarkAcquireRelease(b *testing.B) {
	l := New(100)
	b.ReportAllocs()
	for b.Loop() {
		if err := l.Acquire(b.Context()); err != nil {
			b.Fatal(err)
		}
		l.Release()
	}
}
