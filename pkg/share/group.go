// Package share deals the messages of one consumer to the targets that read it: its members. Each message is read once and compared
// with every member's filter. Each member that gets the message settles a part of its own, and the message ends when the last part does.
//
// Isolation stays per target: a slow member holds its fair share of the bytes that the group may hold. What goes beyond is parked for
// that member alone (directed delivery), so that it holds up no other.
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
	// MaxBytes is how many bytes a group holds at most: of small messages, Room.
	MaxBytes = Room * leastWeight
	// logShare of a log's limit is how much of it a group may hold before it parks what slow members hold: several processes read it.
	logShare = 4
)

// Park stores work for one target alone. It is dispatch.Store's. An error that is dispatch.ErrParkFull means that as much is parked
// for the target's address as may be.
type Park func(ctx context.Context, target route.Target, work dispatch.Work, notBefore time.Time) error

// Config is what a Group works with. Everything but ParkFor, Directed and LogBytes is required.
type Config struct {
	Park Park
	// ParkFor is for how long a message is parked that its member cannot take now.
	ParkFor time.Duration
	// Subjects returns the subjects that cover all that the target gets; nil when it takes every subject to do so.
	Subjects func(route.Target) []string
	// Functions are those that filters may call beside CESQL's own.
	Functions []cesql.Function
	// Directed says that the messages were parked for, or sent to, the one member that their subject names. They have passed its
	// filter, unless they were parked before their first attempt. Who asks for a later run has chosen the member.
	Directed bool
	// Current reports whether the members are certainly those that are in force. While they may not be, nothing is handed out.
	Current func() bool
	// Go runs f in a goroutine that somebody waits for.
	Go func(f func())
	// More is called when there is room for further messages again. It must not block.
	More func()
	// Bytes is how much memory the group may take, MaxBytes at most.
	Bytes int64
	// LogBytes returns the byte limit of the log; what the group holds of it cannot be trimmed. 0 means that there is none.
	LogBytes func() int64
	Logger   *slog.Logger
}

// Group deals the messages of one consumer. Safe for concurrent use.
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
	// load is what all messages take that are not settled. held is that of all their parts, and holders those who have any.
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

// Follow makes the group deal to exactly these targets. What comes for one that is not ready, or has ended and may come back, is parked
// for it. One that is no longer among them is over: nothing more is kept for it.
func (g *Group) Follow(live, ended []route.Target) {
	g.following.Lock()
	defer g.following.Unlock()
	before := g.roster.Load()
	next := g.config.newRoster(live, ended, before)
	var parked, over []*part
	g.mu.Lock()
	// Under the lock: Take would find a new member that is nobody yet, and take its part for done.
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

// Wake has the members look again at what waits for them: Current has changed.
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

// Space returns how much the group can take now. Nothing is taken while no member is served: then events wait where they are. A sole
// member gets no more than it works on and as much again: there is nobody whom it could hold up, so nothing needs to be parked for it.
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

// Failures says for whom parts cannot be parked, or who cannot be served, and why.
func (g *Group) Failures() map[route.TargetKey]string {
	r := g.roster.Load()
	g.mu.Lock()
	defer g.mu.Unlock()
	failures := map[route.TargetKey]string{}
	for key, one := range r.readers {
		switch {
		case one.deaf != nil:
			failures[key] = one.deaf.Error()
		case one.member.said != "":
			failures[key] = one.member.said
		}
	}
	return failures
}

// Wants tells whether somebody may want a message with this subject. If not, it can be acknowledged unread.
func (g *Group) Wants(subject string) bool {
	r := g.roster.Load()
	return len(r.others) > 0 || len(r.bySubject[subject]) > 0
}

// Matches tells whether somebody wants the work. It is not dealt.
func (g *Group) Matches(subject string, w dispatch.Work) bool {
	return len(g.want(g.roster.Load(), &deal{message: dispatch.Message{Work: w}, subject: subject})) > 0
}

// Take deals one message, and reports whether somebody wants it. It does not block.
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

// holds notes what a member holds more, or less. The caller holds the lock.
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

// surplus takes out of a member's queue what has to be parked: all of it for one that cannot be served, else what the member, which
// may have been the only one until now, holds beyond its share. The caller holds the lock.
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

// exceeds tells whether a member holds so much that others are kept waiting: more than its fair share when the group is half full, and
// then twice what those have who have anything, or, when the group is fuller still, whatever they have. Where all are behind alike nothing is
// gained by parking: then less is pulled. The caller holds the lock.
//
// It may be the memory of the process that is nearly full, or a part of the log: what is held there keeps the log from being trimmed.
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

// settled gives the room of a message back.
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

// Open opens the target's part. It replaces the one that was open. A target that is no member gets nothing, as everybody does of a nil
// group.
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

// Close gives back what nobody has taken, and whatever is taken from now on. Parts that are out end as they do.
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
