// Package share lets several targets live on one consumer: each message is read once, compared with every filter, and dealt to the
// targets that want it. Each of them settles its part by itself; the message ends when the last part does.
//
// Isolation stays per target: one that is slow holds its fair share of the messages that may be held, and what goes beyond is parked for
// it alone (directed delivery), so that it holds up no other.
package share

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/dispatch"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/route"
)

const (
	// Room is how much a group holds: as many small messages, or 32 MiB of larger ones.
	Room = 2048
	// weightUnit is the size of a small message, weightParts is for how many targets one may be.
	weightUnit, weightParts = 16 << 10, 16
	// parking is how many messages are being parked at the same time.
	parking = 16
	// parkPause is the time between two tries to park the same.
	parkPause = time.Second
)

// ErrNotShared means that the target is none of the group's.
var ErrNotShared = errors.New("the target does not share this consumer")

var errOpen = errors.New("the target's part of the shared consumer is open already")

// Park stores work for one target alone. It is dispatch.Store's.
type Park func(ctx context.Context, target route.Target, work dispatch.Work, notBefore time.Time) error

// Config is what a Group works with. Everything is required.
type Config struct {
	Park Park
	// Subjects returns the subjects that cover all that the target's filter matches; nil when it takes every subject to do so.
	Subjects func(route.Target) []string
	// Go runs f in a goroutine that somebody waits for.
	Go func(f func())
	// More is called when there is room for further messages again. It must not block.
	More   func()
	Logger *slog.Logger
}

// Group deals the messages of one shared consumer. Safe for concurrent use.
type Group struct {
	config Config
	// roster is replaced as a whole: filters are evaluated without the lock.
	roster atomic.Pointer[roster]
	// following is held by Follow: one roster is made of the other.
	following sync.Mutex
	// closed ends when the group takes nothing more.
	closed context.Context
	close  context.CancelFunc

	mu sync.Mutex
	// load is the weight of all messages that are not settled. held is that of all their parts, and holders those who have any.
	load, held, holders int
	// toPark are parts that wait for one of the parkers, failed those that are tried again soon.
	toPark, failed []*part
	parkers        int
	retrying       bool
}

// New returns a group without members.
func New(c Config) *Group {
	g := &Group{config: c}
	g.closed, g.close = context.WithCancel(context.Background())
	g.roster.Store(&roster{})
	return g
}

// Follow makes the group deal to exactly these targets, whether they are served at present or not: what comes for one that is not ready
// is parked for it. An error means that a filter cannot be compiled and nothing has changed.
func (g *Group) Follow(targets []route.Target) error {
	g.following.Lock()
	defer g.following.Unlock()
	before := g.roster.Load()
	next, err := newRoster(targets, before, g.config.Subjects)
	if err != nil {
		return err
	}
	g.roster.Store(next)
	var parked, gone []*part
	g.mu.Lock()
	for key, m := range before.members {
		if _, stays := next.members[key]; !stays {
			m.gone = true
			gone = append(gone, m.empty()...)
		}
	}
	for _, t := range targets {
		m := next.members[t.Key]
		if m.target = t; t.NotReady != "" {
			parked = append(parked, m.empty()...)
		}
		parked = append(parked, g.excess(m, next)...)
	}
	g.mu.Unlock()
	g.finish(parked, gone)
	g.config.More()
	return nil
}

// finish parks parts, and ends those of members that are gone: a consumer of its own, made before the target ended, has what they had.
func (g *Group) finish(parked, gone []*part) {
	for _, p := range gone {
		_ = p.Ack()
	}
	g.parkLater(parked)
}

// Room returns how much more the group can take, and how much it can hold at most. A sole member is not given more than it works on and
// as much again: there is nobody whom it could hold up, so nothing needs to be parked for it.
func (g *Group) Room() (free, most int) {
	r := g.roster.Load()
	most = r.most
	g.mu.Lock()
	defer g.mu.Unlock()
	return most - g.load, most
}

// Failures says for whom parts cannot be parked, and why.
func (g *Group) Failures() map[route.TargetKey]string {
	r := g.roster.Load()
	g.mu.Lock()
	defer g.mu.Unlock()
	failures := map[route.TargetKey]string{}
	for key, m := range r.members {
		if m.said != "" {
			failures[key] = m.said
		}
	}
	return failures
}

// Wants tells whether somebody may want a message with this subject. If not, it can be acknowledged unread.
func (g *Group) Wants(subject string) bool {
	r := g.roster.Load()
	return len(r.others) > 0 || len(r.bySubject[subject]) > 0
}

// Take deals one message. It does not block.
func (g *Group) Take(subject string, m dispatch.Message) {
	if g.closed.Err() != nil {
		_ = m.Release(0)
		return
	}
	r := g.roster.Load()
	wanted := r.want(subject, m.Work)
	if len(wanted) == 0 {
		if m.Ack() != nil {
			_ = m.Release(0)
		}
		return
	}
	d := &deal{group: g, message: m, weight: 1 + len(m.Event.Data)/weightUnit + len(wanted)/weightParts, left: len(wanted)}
	parts := make([]part, len(wanted))
	g.mu.Lock()
	if g.closed.Err() != nil {
		g.mu.Unlock()
		_ = m.Release(0)
		return
	}
	g.load += d.weight
	var parked, gone []*part
	for i, to := range wanted {
		p := &parts[i]
		p.deal, p.member = d, to
		g.holds(to, d.weight)
		switch {
		case to.gone:
			gone = append(gone, p)
		case to.target.NotReady != "" || g.exceeds(to.held, r):
			parked = append(parked, p)
		default:
			to.enqueue(p)
		}
	}
	g.mu.Unlock()
	g.finish(parked, gone)
}

// holds notes what a member holds more, or less. The caller holds the lock.
func (g *Group) holds(m *member, weight int) {
	before := m.held
	m.held += weight
	g.held += weight
	switch {
	case before == 0 && m.held > 0:
		g.holders++
	case before > 0 && m.held == 0:
		g.holders--
	}
}

// excess takes out of the queue what a member, which may have been the only one until now, holds beyond its share. The caller holds the
// lock.
func (g *Group) excess(m *member, r *roster) []*part {
	var parts []*part
	held := m.held
	for len(m.queue) > 0 && g.exceeds(held, r) {
		last := len(m.queue) - 1
		held -= m.queue[last].deal.weight
		parts = append(parts, m.queue[last])
		m.queue = m.queue[:last]
	}
	return parts
}

// exceeds tells whether a member holds so much that others are kept waiting: more than its fair share when the group is half full, and
// then twice what those have who have anything, or, when the group is fuller still, whatever they have. Where all are behind alike nothing is
// gained by parking: then less is pulled. The caller holds the lock.
func (g *Group) exceeds(held int, r *roster) bool {
	n := len(r.members)
	if n < 2 || g.load <= Room/2 || held <= max(Room/2/n, 1) {
		return false
	}
	return held > 2*g.held/max(g.holders, 1) || g.load > Room*3/4
}

// settled gives the room of a message back.
func (g *Group) settled(weight int) {
	half := g.roster.Load().most / 2
	g.mu.Lock()
	before := g.load
	g.load -= weight
	more := before > half && g.load <= half || g.load == 0
	g.mu.Unlock()
	if more {
		g.config.More()
	}
}

// Open opens the target's part. There is one at a time.
func (g *Group) Open(key route.TargetKey) (dispatch.Source, error) {
	m := g.roster.Load().members[key]
	if m == nil {
		return nil, fmt.Errorf("%s: %w", key, ErrNotShared)
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if m.outlet != nil {
		return nil, fmt.Errorf("%s: %w", key, errOpen)
	}
	m.outlet = &outlet{group: g, member: m, out: make(chan dispatch.Message), stop: make(chan struct{})}
	m.pump()
	return m.outlet, nil
}

// Close gives back what nobody has taken, and whatever is taken from now on. Parts that are out end as they do.
func (g *Group) Close() {
	g.close()
	g.mu.Lock()
	waiting := append(g.toPark, g.failed...)
	g.toPark, g.failed = nil, nil
	for _, m := range g.roster.Load().members {
		waiting = append(waiting, m.empty()...)
	}
	g.mu.Unlock()
	for _, p := range waiting {
		_ = p.Release(0)
	}
}
