// Package share deals the messages of one consumer to the targets that read it, its members. Each
// message is read once and compared with every member's filter. Each member that gets the message
// settles a part of its own, and the message is settled with the last part (I2).
//
// A slow member holds its fair share of the bytes that the group may hold. Events beyond that are
// parked for that member alone (directed delivery), so that it holds up no other (I8).
package share

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/cesql"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/dispatch"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/route"
)

const (
	// Room is how many small messages a group holds at most.
	Room = 2048
	// MaxBytes is how many bytes a group holds at most: those of Room small messages.
	MaxBytes = Room * leastWeight
	// logShare: a group may hold 1/logShare of a log's limit; several processes read the log.
	logShare = 4
)

// Park stores work for one target until notBefore; dispatch.Store has it. dispatch.ErrParkFull
// means that the directed stream of the target's address is full.
type Park func(ctx context.Context, target route.Target, work dispatch.Work, notBefore time.Time) error

// Config configures a Group. Everything but ParkFor, Directed and LogBytes is required.
type Config struct {
	Park Park
	// ParkFor is how long a message is parked if its member cannot take it now.
	ParkFor time.Duration
	// Subjects returns subjects that cover everything the target gets; nil means every subject.
	Subjects func(route.Target) []string
	// Functions are what filters may call beside CESQL's own functions.
	Functions []cesql.Function
	// Directed says that the messages were parked for, or sent to, the member that their subject
	// names. Only one that was parked before its first attempt is compared with the filter, and
	// only in run 0: whoever asked for a later run has chosen the member.
	Directed bool
	// Current reports whether the members are surely those in force. If not, nothing is handed out.
	Current func() bool
	// Go runs f in a goroutine whose owner waits for its end.
	Go func(f func())
	// More is called when there is room for messages again. It must not block.
	More func()
	// Bytes is the memory that the group may use, MaxBytes at most.
	Bytes int64
	// LogBytes returns the log's limit, 0 for none. What the group holds stays in the log.
	LogBytes func() int64
	Logger   *slog.Logger
}

// Group deals the messages of one consumer. Safe for concurrent use.
type Group struct {
	config Config
	// roster is replaced as a whole: filters are evaluated without the lock.
	roster atomic.Pointer[roster]
	// following is held by Follow, which makes each roster from the one before.
	following sync.Mutex
	// closed ends with Close: then the group takes nothing more.
	closed context.Context
	close  context.CancelFunc

	mu sync.Mutex
	// load is what unsettled messages take; held is what the parts of this many holders take.
	load, held amount
	holders    int
	// toPark are parts that wait for one of the parkers.
	toPark   []*part
	parkers  int
	retrying bool
}

// New returns a group without members.
func New(c Config) *Group {
	g := &Group{config: c}
	g.closed, g.close = context.WithCancel(context.Background())
	g.roster.Store(&roster{})
	return g
}

// Follow makes exactly these targets the members. Events for a member that is not ready, or has
// ended and may come back, are parked. The queue of a former member is dropped.
func (g *Group) Follow(live, ended []route.Target) {
	g.following.Lock()
	defer g.following.Unlock()
	before := g.roster.Load()
	next := g.config.newRoster(live, ended, before)
	var parked, over []*part
	g.mu.Lock()
	// Under the lock: Take must not see a new member before its now is set, or it settles the part.
	g.roster.Store(next)
	for key, was := range before.readers {
		if next.readers[key] == nil {
			was.member.now = nil
			over = append(over, was.member.empty()...)
		}
	}
	for key, one := range next.readers {
		m := one.member
		m.now = one
		if was := before.readers[key]; was != nil && was.match != one.match {
			over = append(over, m.drop(func(d *deal) bool { wants, _ := g.wants(one, d); return !wants })...)
		}
		parked = append(parked, g.surplus(m, next)...)
		m.wake()
	}
	g.mu.Unlock()
	settleAll(over)
	g.parkLater(parked)
	g.config.More()
}

// Wake makes the members look at their queues again, because Current has changed.
func (g *Group) Wake() {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, one := range g.roster.Load().readers {
		one.member.wake()
	}
}

// Space is how much a group can take now.
type Space struct {
	// Messages can be taken now, MostMessages when the group is empty.
	Messages, MostMessages int
	Bytes                  int64
}

// Space returns how much the group can take now: nothing while no member is served. A sole member
// queues no more than its window: it holds up nobody, so that nothing has to be parked for it.
func (g *Group) Space() Space {
	r := g.roster.Load()
	g.mu.Lock()
	defer g.mu.Unlock()
	s := Space{Bytes: g.config.Bytes - g.load.memory, MostMessages: int(g.config.Bytes / leastWeight)}
	switch {
	case r.served == 0:
	case r.sole != nil:
		s.MostMessages = min(r.window, s.MostMessages)
		s.Messages = s.MostMessages - len(r.sole.queue)
	default:
		s.Messages = int(s.Bytes / leastWeight)
	}
	return s
}

// Failures returns why parts cannot be parked for a target, or why it cannot be served.
func (g *Group) Failures() map[route.TargetKey]string {
	r := g.roster.Load()
	g.mu.Lock()
	defer g.mu.Unlock()
	failures := map[route.TargetKey]string{}
	for key, one := range r.readers {
		switch {
		case one.badFilter != nil:
			failures[key] = one.badFilter.Error()
		case one.member.parkFailure != "":
			failures[key] = one.member.parkFailure
		}
	}
	return failures
}

// Wants reports whether a member may want this subject's messages; else they need no decoding.
func (g *Group) Wants(subject string) bool {
	r := g.roster.Load()
	return len(r.others) > 0 || len(r.bySubject[subject]) > 0
}

// Matches reports whether a member wants the work, without dealing it.
func (g *Group) Matches(subject string, w dispatch.Work) bool {
	return len(g.want(g.roster.Load(), &deal{message: dispatch.Message{Work: w}, subject: subject})) > 0
}

// Take deals one message and reports whether a member wants it; if not it acks. It does not block.
func (g *Group) Take(subject string, m dispatch.Message) bool {
	r := g.roster.Load()
	d := &deal{group: g, message: m, subject: subject}
	parts := g.want(r, d)
	if len(parts) == 0 {
		if m.Ack() != nil {
			_ = m.Release(0)
		}
		return false
	}
	d.left, d.weight = len(parts), weigh(m, len(parts))
	var parked, over []*part
	g.mu.Lock()
	if g.closed.Err() != nil {
		g.mu.Unlock()
		_ = m.Release(0)
		return true
	}
	g.load.add(d.weight)
	for i := range parts {
		p, to := &parts[i], parts[i].member
		g.holds(to, d.weight)
		switch {
		case to.now == nil:
			over = append(over, p)
		case p.undecided || to.now.parks() || g.exceeds(to.held, r):
			parked = append(parked, p)
		default:
			to.enqueue(p)
		}
	}
	g.mu.Unlock()
	settleAll(over)
	g.parkLater(parked)
	return true
}

// holds adds to what a member holds; weight may be negative. The caller holds the lock.
func (g *Group) holds(m *member, weight amount) {
	before := m.held.memory
	m.held.add(weight)
	g.held.add(weight)
	switch {
	case before == 0 && m.held.memory > 0:
		g.holders++
	case before > 0 && m.held.memory == 0:
		g.holders--
	}
}

// surplus takes out of a member's queue what has to be parked: all if the member cannot be served,
// else what exceeds its share, as when others have joined. The caller holds the lock.
func (g *Group) surplus(m *member, r *roster) []*part {
	if m.now == nil || m.now.parks() {
		return m.empty()
	}
	var parts []*part
	for held := m.held; len(m.queue) > 0 && g.exceeds(held, r); {
		p := m.dequeueLast()
		held.add(p.deal.weight.negative())
		parts = append(parts, p)
	}
	return parts
}

// exceeds reports whether a member holds so much that others have to wait. That is so only if the
// group is more than half full, and the member holds more than its fair share of that half; and,
// until the group is three quarters full, only if it holds twice the average of those that hold
// anything. If all are equally behind, parking gains nothing: less is pulled instead. The caller
// holds the lock.
//
// What is full is the group's memory, or its part of the log, which cannot be trimmed meanwhile.
func (g *Group) exceeds(held amount, r *roster) bool {
	members := int64(len(r.readers))
	if members < 2 {
		return false
	}
	exceeds := func(held, all, load, room int64) bool {
		if load <= room/2 || held <= max(room/2/members, leastWeight) {
			return false
		}
		return held > 2*all/int64(max(g.holders, 1)) || load > room*3/4
	}
	if exceeds(held.memory, g.held.memory, g.load.memory, g.config.Bytes) {
		return true
	}
	if g.config.LogBytes == nil {
		return false
	}
	room := g.config.LogBytes() / logShare
	return room > 0 && exceeds(held.log, g.held.log, g.load.log, room)
}

// settled frees the room of a message.
func (g *Group) settled(weight amount) {
	half := g.config.Bytes / 2
	g.mu.Lock()
	before := g.load.memory
	g.load.add(weight.negative())
	now := g.load.memory
	more := before > half && now <= half || now == 0
	g.mu.Unlock()
	if more {
		g.config.More()
	}
}

// Open opens the source of the target's parts, instead of the one before. If the target is no
// member, or the group nil, the source is empty.
func (g *Group) Open(key route.TargetKey) dispatch.Source {
	o := &outlet{group: g, ready: make(chan struct{}, 1)}
	if g == nil {
		return o
	}
	if one := g.roster.Load().readers[key]; one != nil {
		g.mu.Lock()
		defer g.mu.Unlock()
		o.member = one.member
		o.member.outlet = o
		o.member.wake()
	}
	return o
}

// Close releases what nobody has taken, and whatever comes later. Parts that are out end as usual.
func (g *Group) Close() {
	g.close()
	g.mu.Lock()
	waiting := g.toPark
	g.toPark = nil
	for _, one := range g.roster.Load().readers {
		waiting = append(waiting, one.member.empty()...)
	}
	g.mu.Unlock()
	releaseAll(waiting)
}
