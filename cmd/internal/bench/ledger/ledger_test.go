package ledger_test

import (
	"sync"
	"testing"

	"github.com/eventing-jetstream/eventing-jetstream/cmd/internal/bench/ledger"
	"github.com/eventing-jetstream/eventing-jetstream/cmd/internal/bench/workload"
)

// everybody is a target for every event, half for those with an odd number.
func targets() []workload.Target {
	return []workload.Target{{Name: "everybody", Step: 1}, {Name: "half", First: 1, Step: 2}, {Name: "idle"}}
}

const (
	everybody = iota
	half
	idle
)

func TestAnEventThatNobodyGotIsLost(t *testing.T) {
	l := ledger.New(targets(), 1000)
	l.Accept(0, 200)
	for i := range 200 {
		if i != 130 {
			l.Deliver(everybody, i)
		}
		if i%2 == 1 && i != 77 {
			l.Deliver(half, i)
		}
	}
	want := ledger.Tally{Accepted: 200, Expected: 300, Delivered: 298, Lost: 2}
	if got := l.Tally(1); got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
	if l.Settled() != 298 {
		t.Errorf("settled %d", l.Settled())
	}
}

func TestDuplicatesAndStrangersAreCounted(t *testing.T) {
	l := ledger.New(targets(), 1000)
	l.Accept(0, 1)
	if !l.Deliver(everybody, 0) || l.Deliver(everybody, 0) {
		t.Error("only the first delivery settles an event")
	}
	l.Deliver(everybody, 5) // it was not accepted, as far as is known
	l.Deliver(half, 4)      // its filter does not match
	l.Deliver(idle, 4)
	l.Deliver(17, 4) // there is no such target
	want := ledger.Tally{Accepted: 1, Expected: 1, Delivered: 1, Duplicates: 1, Unconfirmed: 1, Unexpected: 2}
	if got := l.Tally(1); got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
}

func TestDeadLettersAreThoseThatAreExhausted(t *testing.T) {
	l := ledger.New(targets()[:1], 1000)
	l.Accept(0, 4)
	refuse := func(i, times int) {
		for range times {
			l.Refuse(everybody, i)
		}
	}
	refuse(0, 3)
	l.DeadLetter(everybody, 0) // rightly
	refuse(1, 2)
	l.DeadLetter(everybody, 1) // it had a try left
	refuse(2, 3)               // it should be one, and is lost
	refuse(3, 2)
	l.Deliver(everybody, 3) // at the last try
	want := ledger.Tally{Accepted: 4, Expected: 4, Delivered: 1, DeadLettered: 2, Lost: 1, Exhausted: 2, Misjudged: 2}
	if got := l.Tally(3); got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
}

func TestManyAtOnce(t *testing.T) {
	l := ledger.New(targets(), 64_000)
	var all sync.WaitGroup
	for worker := range 8 {
		all.Go(func() {
			for i := worker; i < 64_000; i += 8 {
				l.Accept(i, 1)
				l.Deliver(everybody, i)
				if i%2 == 1 {
					l.Deliver(half, i)
				}
			}
		})
	}
	all.Wait()
	if got := l.Tally(1); got.Delivered != 96_000 || got.Lost != 0 || got.Duplicates != 0 || l.Settled() != 96_000 {
		t.Errorf("%+v, settled %d", got, l.Settled())
	}
}
