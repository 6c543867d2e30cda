// Package ledger accounts for every event of a benchmark by its number: which were accepted, and what became of each at each of
// its targets.
package ledger

import (
	"sync"
	"sync/atomic"

	"github.com/eventing-jetstream/eventing-jetstream/cmd/internal/bench/workload"
)

// Ledger is the account of one run. Safe for concurrent use.
type Ledger struct {
	accepted bitset
	targets  []*account
	// acceptedCount and settled are for those who look often; Tally counts anew.
	acceptedCount, settled atomic.Int64
}

// account is what is known of one target's events, by their place among those that it selects.
type account struct {
	workload.Target
	delivered, dead        bitset
	duplicates, unexpected atomic.Int64

	mu sync.Mutex
	// refusals counts the answers other than success of each event that got one.
	refusals map[int]int
}

// New returns an empty ledger for events with numbers below limit.
func New(targets []workload.Target, limit int) *Ledger {
	l := &Ledger{accepted: newBitset(limit)}
	for _, t := range targets {
		a := &account{Target: t, refusals: map[int]int{}}
		if t.Step > 0 {
			a.delivered, a.dead = newBitset(limit/t.Step+1), newBitset(limit/t.Step+1)
		}
		l.targets = append(l.targets, a)
	}
	return l
}

// Accept notes that the events first to first+count-1 were accepted.
func (l *Ledger) Accept(first, count int) {
	for i := range count {
		if l.accepted.add(first + i) {
			l.acceptedCount.Add(1)
		}
	}
}

// Deliver notes that a target took an event, and reports whether that settles it: not when it came before.
func (l *Ledger) Deliver(target, i int) bool {
	a, place, ok := l.find(target, i)
	if !ok {
		return false
	}
	if !a.delivered.add(place) {
		a.duplicates.Add(1)
		return false
	}
	if a.dead.has(place) {
		return false
	}
	l.settled.Add(1)
	return true
}

// Refuse notes that a target's subscriber refused an event.
func (l *Ledger) Refuse(target, i int) {
	if a, _, ok := l.find(target, i); ok {
		a.mu.Lock()
		a.refusals[i]++
		a.mu.Unlock()
	}
}

// DeadLetter notes that a target's event came to the dead letter sink, and reports whether that settles it.
func (l *Ledger) DeadLetter(target, i int) bool {
	a, place, ok := l.find(target, i)
	if !ok {
		return false
	}
	if !a.dead.add(place) {
		a.duplicates.Add(1)
		return false
	}
	if a.delivered.has(place) {
		return false
	}
	l.settled.Add(1)
	return true
}

// find returns the account and the event's place in it. An event that the target's filter should have kept away is noted.
func (l *Ledger) find(target, i int) (a *account, place int, ok bool) {
	if target < 0 || target >= len(l.targets) {
		return nil, 0, false
	}
	a = l.targets[target]
	if !a.Selects(i) {
		a.unexpected.Add(1)
		return nil, 0, false
	}
	return a, i / a.Step, true
}

// Accepted is the number of events that were accepted, Settled that of deliveries and dead letters, duplicates left out.
func (l *Ledger) Accepted() int { return int(l.acceptedCount.Load()) }

// Settled is the number of deliveries and dead letters, duplicates left out.
func (l *Ledger) Settled() int { return int(l.settled.Load()) }
