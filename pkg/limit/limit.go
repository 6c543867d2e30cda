// Package limit bounds how much of one kind of work runs at a time.
//
// A sub-limit is two Limiters used together: work of the sub-limited kind takes a slot of the
// smaller Limiter first and then one of the larger; other work takes only a slot of the larger. The
// order cannot deadlock, as work never waits for the smaller Limiter with a slot of the larger.
// Both queues are first in, first out, so neither kind starves the other. See the example.
package limit

import (
	"container/list"
	"context"
	"sync"
)

// Limiter hands out a bounded number of slots, first come, first served. Safe for concurrent use.
type Limiter struct {
	mu      sync.Mutex
	limit   int
	inUse   int
	waiting list.List // of chan struct{}: admit closes it under mu
}

// New returns a limiter with this many slots, at least one: without any, work would seem to hang.
func New(limit int) *Limiter {
	return &Limiter{limit: max(limit, 1)}
}

// Half returns half of a limit, rounded up: the part of a target's slots that retries may take.
func Half(limit int) int { return (max(limit, 1) + 1) / 2 }

// Acquire waits in line for a slot and returns nil; the caller owes a Release. If ctx ends first,
// or has ended already, it returns ctx.Err() and the caller holds nothing.
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

// leave removes a waiter whose context ended; a slot granted at that moment goes to the next.
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

// TryAcquire takes a slot if one is free and nobody waits, and reports whether it did. If so, the
// caller owes a Release.
func (l *Limiter) TryAcquire() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.free() {
		return false
	}
	l.inUse++
	return true
}

// Release returns a slot, which goes to the first waiter. A Release without an Acquire is a bug of
// the caller; it changes nothing, so that it cannot raise the limit.
func (l *Limiter) Release() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.inUse == 0 {
		return
	}
	l.inUse--
	l.admit()
}

// SetLimit changes the number of slots, to at least one. Raising it admits waiters at once.
// Lowering it takes no slot away: the number in use falls to the new limit as slots are released.
func (l *Limiter) SetLimit(limit int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.limit = max(limit, 1)
	l.admit()
}

// InUse returns the number of slots in use.
func (l *Limiter) InUse() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.inUse
}

// free reports whether a slot is free and nobody waits for it. The caller holds mu.
func (l *Limiter) free() bool { return l.inUse < l.limit && l.waiting.Len() == 0 }

// admit gives free slots to the first waiters. The caller holds mu.
func (l *Limiter) admit() {
	for l.inUse < l.limit && l.waiting.Len() > 0 {
		granted := l.waiting.Remove(l.waiting.Front()).(chan struct{})
		l.inUse++
		close(granted)
	}
}
