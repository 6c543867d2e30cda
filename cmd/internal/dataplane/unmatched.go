package dataplane

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
	// maxUnmatchedTypes bounds the types that are told apart: senders choose them.
	maxUnmatchedTypes = 1000
)

// UnmatchedEvent is one that was stored and that no target of the address wants.
type UnmatchedEvent struct {
	Address route.Key
	// Targets is how many targets the address has.
	Targets int
	Event   event.Event
}

// unmatched finds events that nobody wants, and tells of each type once. It compares no more than some of them with the filters, so
// that it costs a sender nothing. Safe for concurrent use.
type unmatched struct {
	ingress.Publisher
	table *route.Table
	tell  func(UnmatchedEvent)

	mu sync.Mutex
	// seen is by address and type.
	seen map[route.Key]map[string]*seenType
	size int
	// routes are those that matchers was made of, by address.
	routes   route.Snapshot
	matchers map[route.Key][]*filter.Matcher
}

type seenType struct {
	told   bool
	looked time.Time
}

func newUnmatched(to ingress.Publisher, table *route.Table, tell func(UnmatchedEvent)) *unmatched {
	return &unmatched{Publisher: to, table: table, tell: tell, seen: map[route.Key]map[string]*seenType{}}
}

// Publish is the Publisher's. What it has stored is looked at.
func (u *unmatched) Publish(ctx context.Context, to route.Address, messages []ingress.Message) (int, error) {
	stored, err := u.Publisher.Publish(ctx, to, messages)
	for _, m := range messages[:stored] {
		if found, ok := u.look(to.Key, m.Event); ok {
			u.tell(found)
		}
	}
	return stored, err
}

// look is true for an event that nobody wants, the first time that one of its type is found.
func (u *unmatched) look(to route.Key, e event.Event) (UnmatchedEvent, bool) {
	u.mu.Lock()
	defer u.mu.Unlock()
	eventType := e.Attr(event.Type)
	seen, known := u.seen[to][eventType]
	if !known {
		if u.size++; u.size > maxUnmatchedTypes {
			return UnmatchedEvent{}, false
		}
		if u.seen[to] == nil {
			u.seen[to] = map[string]*seenType{}
		}
		seen = &seenType{}
		u.seen[to][eventType] = seen
	}
	if seen.told || time.Since(seen.looked) < unmatchedEvery {
		return UnmatchedEvent{}, false
	}
	seen.looked = time.Now()
	matchers := u.matchersOf(to)
	for _, m := range matchers {
		if m == nil || m.Match(e) {
			return UnmatchedEvent{}, false
		}
	}
	seen.told = true
	return UnmatchedEvent{Address: to, Targets: len(matchers), Event: e}, true
}

// matchersOf returns the filters of an address's targets; nil is one that cannot be compiled, and may want anything.
func (u *unmatched) matchersOf(to route.Key) []*filter.Matcher {
	select {
	case <-u.routes.Changed:
		u.matchers = nil
	default:
	}
	if u.matchers == nil {
		u.routes, u.matchers = u.table.Snapshot(), map[route.Key][]*filter.Matcher{}
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
