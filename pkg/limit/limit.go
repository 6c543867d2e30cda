// Package limit bounds how much of one kind of work runs at a time.
//
// A sub-limit is two Limiters used together: work of the bounded kind takes a slot of the smaller one first and of the
// whole one second; all other work takes a slot of the whole one only. Nobody waits for the smaller limit while holding a
// slot of the whole, so this order cannot deadlock, and because the queue is first in, first out, neither kind starves the other. See the example.
package limit

import (
	"container/list"
	"context"
	"sync"
)

// Limiter hands out a bounded number of slots, first come, first served. All methods are safe for concurrent use.
type Limiter struct {
	mu      sync.Mutex
	limit   int
	inUse   int
	waiting list.List // of chan struct{}: closed, under mu, by whoever passes a slot on
}

// New returns a limiter with this many slots. A limit below one counts as one: a limiter that admits nobody would look
// the same as work that hangs.
func New(limit int) *Limiter {
	return &Limiter{limit: max(limit, 1)}
}

// Half is half of a limit, rounded up: the part of a target's slots that retried work may take.
func Half(limit int) int { return (max(limit, 1) + 1) / 2 }

// Acquire takes a slot, waiting in line for one, and returns nil; the caller owes a Release. When ctx ends first it
// returns ctx.Err() and holds nothing, and a ctx that has ended already never gets a slot.
func (l *Limiter) Acquire(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	l.mu.Lock()
	if l.free() {
		l.inUse++
		l.mu.Unlock()
		return nil
	}
	granted := make(chan struct{})
	place := l.waiting.PushBack(granted)
	l.mu.Unlock()

	select {
	case <-granted:
		return nil
	case <-ctx.Done():
		l.leave(place)
		return ctx.Err()
	}
}

// leave takes a waiter whose context ended out of the line; a slot granted to it in the same moment goes to the next.
func (l *Limiter) leave(place *list.Element) {
	l.mu.Lock()
	defer l.mu.Unlock()
	select {
	case <-place.Value.(chan struct{}):
		l.inUse--
		l.admit()
	default:
		l.waiting.Remove(place)
	}
}

// TryAcquire takes a slot if one is free and nobody waits for it, and tells whether it did; if so the caller owes a Release.
func (l *Limiter) TryAcquire() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.free() {
		return false
	}
	l.inUse++
	return true
}

// Release gives a slot back and passes it to the longest waiter. A Release that no Acquire preceded is a bug of the
// caller; it changes nothing, so that it cannot raise the limit.
func (l *Limiter) Release() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.inUse == 0 {
		return
	}
	l.inUse--
	l.admit()
}

// SetLimit changes the number of slots; below one counts as one. Raising it admits waiters at once. Lowering it takes
// no slot away: the number in use falls to the new limit as slots are released.
func (l *Limiter) SetLimit(limit int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.limit = max(limit, 1)
	l.admit()
}

// InUse is the number of slots taken at this moment.
func (l *Limiter) InUse() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.inUse
}

// free tells whether a newcomer may take a slot without passing anybody in line. The caller holds mu.
func (l *Limiter) free() bool { return l.inUse < l.limit && l.waiting.Len() == 0 }

// admit gives free slots to the longest waiters. The caller holds mu.
func (l *Limiter) admit() {
	for l.inUse < l.limit && l.waiting.Len() > 0 {
		granted := l.waiting.Remove(l.waiting.Front()).(chan struct{})
		l.inUse++
		close(granted)
	}
}
