package main

import (
	"context"
	"sync"
	"time"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/event"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/filter"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/ingress"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/route"
)

const (
	// unmatchedEvery is the time between two events of one type that are compared with all filters.
	unmatchedEvery = 100 * time.Millisecond
	// unmatchedAfter is the time from such an event to its being told: a Trigger that was written just before may not be known yet.
	unmatchedAfter = time.Second
	// maxPending bounds the events that wait for that.
	maxPending = 100
	// maxUnmatchedTypes bounds the types that are told apart: senders choose them.
	maxUnmatchedTypes = 1000
)

// unmatchedEvent is one that was stored and that no target of the address wants.
type unmatchedEvent struct {
	Address route.Key
	// Targets is how many targets the address has.
	Targets int
	Event   event.Event
}

// unmatched finds events that nobody wants, and tells of each type once. It compares no more than some of them with the filters, so
// that it costs a sender nothing. Safe for concurrent use.
type unmatched struct {
	ingress.Publisher
	routesNow func() route.Snapshot
	tell      func(unmatchedEvent)

	mu sync.Mutex
	// seen is by address and type.
	seen map[route.Key]map[string]*seenType
	size int
	// pending are events to be looked at once more.
	pending []unmatchedEvent
	// routes are those that matchers was made of, by address.
	routes   route.Snapshot
	matchers map[route.Key][]*filter.Matcher
}

type seenType struct {
	told   bool
	looked time.Time
}

func newUnmatched(to ingress.Publisher, routesNow func() route.Snapshot, tell func(unmatchedEvent)) *unmatched {
	return &unmatched{Publisher: to, routesNow: routesNow, tell: tell, seen: map[route.Key]map[string]*seenType{}}
}

// Publish is the Publisher's. What it has stored is looked at.
func (u *unmatched) Publish(ctx context.Context, to route.Address, messages []ingress.Message) (int, error) {
	stored, err := u.Publisher.Publish(ctx, to, messages)
	for _, m := range messages[:stored] {
		u.look(to.Key, m.Event)
	}
	return stored, err
}

// run tells of events that nobody wants until ctx ends.
func (u *unmatched) run(ctx context.Context) {
	tick := time.NewTicker(unmatchedAfter)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			for _, e := range u.confirmed() {
				u.tell(e)
			}
		case <-ctx.Done():
			return
		}
	}
}

// confirmed returns the pending events that nobody wants by now, either.
func (u *unmatched) confirmed() (confirmed []unmatchedEvent) {
	u.mu.Lock()
	defer u.mu.Unlock()
	for _, e := range u.pending {
		var wanted bool
		if e.Targets, wanted = u.wanted(e.Address, e.Event); wanted {
			u.seen[e.Address][e.Event.Attr(event.Type)].told = false
			continue
		}
		confirmed = append(confirmed, e)
	}
	u.pending = nil
	return confirmed
}

// look notes an event that nobody wants, the first time that one of its type is found.
func (u *unmatched) look(to route.Key, e event.Event) {
	u.mu.Lock()
	defer u.mu.Unlock()
	eventType := e.Attr(event.Type)
	seen, known := u.seen[to][eventType]
	if !known {
		if u.size++; u.size > maxUnmatchedTypes {
			return
		}
		if u.seen[to] == nil {
			u.seen[to] = map[string]*seenType{}
		}
		seen = &seenType{}
		u.seen[to][eventType] = seen
	}
	if seen.told || time.Since(seen.looked) < unmatchedEvery || len(u.pending) == maxPending {
		return
	}
	seen.looked = time.Now()
	if _, wanted := u.wanted(to, e); !wanted {
		seen.told = true
		e.Data = nil
		u.pending = append(u.pending, unmatchedEvent{Address: to, Event: e})
	}
}

// wanted tells whether a target of the address, which has so many, wants the event.
func (u *unmatched) wanted(to route.Key, e event.Event) (targets int, wanted bool) {
	matchers := u.matchersOf(to)
	for _, m := range matchers {
		if m == nil || m.Match(e) {
			return len(matchers), true
		}
	}
	return len(matchers), false
}

// matchersOf returns the filters of an address's targets; nil is one that cannot be compiled, and may want anything.
func (u *unmatched) matchersOf(to route.Key) []*filter.Matcher {
	select {
	case <-u.routes.Changed:
		u.matchers = nil
	default:
	}
	if u.matchers == nil {
		u.routes, u.matchers = u.routesNow(), map[route.Key][]*filter.Matcher{}
		for _, t := range u.routes.Targets {
			matcher, err := filter.Compile(t.Filter)
			if err != nil {
				matcher = nil
			}
			u.matchers[t.Key.Address] = append(u.matchers[t.Key.Address], matcher)
		}
	}
	return u.matchers[to]
}
