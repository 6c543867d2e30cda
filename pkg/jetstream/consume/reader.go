package consume

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/count"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/dispatch"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/codec"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/pull"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/route"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/share"
)

// unmatched is for counting unmatched events of a shared consumer: the counts of the address, and the
// groups of its targets with a consumer of their own.
type unmatched struct {
	counts *count.Address
	own    []*share.Group
}

// reader reads a consumer and deals its messages to the targets. Safe for concurrent use.
type reader struct {
	opener  *Opener
	id      pull.Consumer
	address route.Key
	// directed is set for the consumer of a directed stream, shared for a log's shared consumer.
	directed, shared bool
	decode           func(*nats.Msg) (dispatch.Work, error)
	group            *share.Group
	source           *pull.Source
	// live are the reader's targets, guarded by the opener's lock.
	live []route.Target
	// logBytes is the byte limit of the log.
	logBytes atomic.Int64
	// unmatched is nil for a reader that is not shared.
	unmatched atomic.Pointer[unmatched]
	// verified is the last period of trust in which the consumer was there and all members known.
	verified atomic.Int64
	// seen are the members that look found last, in period seenIn. Only verify uses them.
	seen   []string
	seenIn int64

	mu sync.Mutex
	// why is why the reader is not verified, since when that began, reported what failure returns.
	why, reported error
	since         time.Time
}

func (o *Opener) newReader(id pull.Consumer, t route.Target, directed bool) (*reader, error) {
	names := o.Client.Names()
	r := &reader{
		opener: o, id: id, address: t.Key.Address, directed: directed, why: errNotRead, reported: errNotRead,
		shared: !directed && id.Name == names.SharedConsumer(), decode: codec.DecodeLog,
	}
	config := share.Config{
		Park: o.Park, Current: r.current, Go: o.Client.Go, More: func() { r.source.AskMore() },
		Bytes: min(share.MaxBytes, o.budget.Limit()), LogBytes: r.logBytes.Load, Functions: o.Functions, Logger: o.Client.Logger(),
		Subjects: names.Subjects,
	}
	switch {
	case directed:
		r.decode = codec.DecodeDirected
		config.Directed, config.ParkFor = true, directedPause
		config.Subjects = func(t route.Target) []string { return []string{names.DirectedSubject(t.Key)} }
	case t.Key.Address.Kind == route.KindChannel:
		r.decode = codec.DecodeChannel
	}
	r.group = share.New(config)
	var err error
	r.source, err = pull.Open(o.Client, id, r, o.budget)
	return r, err
}

// open reports whether the reader is verified in the present trust, be that paused or not.
func (r *reader) open() bool {
	return r.opener.trust.lives() && r.verified.Load() == r.opener.trust.period.Load()
}

// Paused, Space and Take implement pull.Taker.
func (r *reader) Paused() bool { return r.opener.trust.pauses() && r.open() }

// current reports whether the reader is open and the trust not paused.
func (r *reader) current() bool { return !r.opener.trust.pauses() && r.open() }

// Space returns what the targets may still take; nothing unless the reader is current.
func (r *reader) Space() share.Space {
	if !r.current() {
		return share.Space{}
	}
	return r.group.Space()
}

// Take deals a message to the targets, or gives it back while a target may be unknown.
func (r *reader) Take(m *nats.Msg, l *pull.Lease) {
	// Trust before members: whoever was ready when the trust was checked is among the members.
	if !r.open() {
		_ = l.Release(jetstream.RetryPause)
		return
	}
	if !r.group.Wants(m.Subject) {
		if r.directed && !(*r.opener.swept.Load())[m.Subject] {
			_ = l.Release(directedPause) // its target is known to others, and here soon
			return
		}
		r.unwanted(m)
		_ = l.Ack() // if the ack is lost, the message comes once more
		return
	}
	work, err := r.decode(m)
	if err != nil { // no ack subject, which every message of our consumers has
		r.opener.Client.Logger().Error("a pulled message has no ack subject", "subject", m.Subject, "error", err)
		_ = l.Release(time.Minute)
		return
	}
	if !r.group.Take(m.Subject, dispatch.Message{Work: work, Lease: l, Taken: time.Now()}) {
		r.unwanted(m)
	}
}

// unwanted counts a message that no member wants, unless a target with a consumer of its own does.
func (r *reader) unwanted(m *nats.Msg) {
	b := r.unmatched.Load()
	if b == nil {
		return
	}
	for _, g := range b.own {
		if !g.Wants(m.Subject) {
			continue
		}
		if work, err := r.decode(m); err == nil && g.Matches(m.Subject, work) {
			return
		}
	}
	b.counts.Unmatch()
}

// wake resumes reading when the trust has begun.
func (r *reader) wake() {
	r.source.AskMore()
	r.group.Wake()
}

func (r *reader) stop() {
	r.group.Close() // first: messages that the source still takes are given back at once
	r.source.Stop()
}

// failure returns why the reader reads nothing although this process is trusted; nil if it reads.
func (r *reader) failure() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.reported
}

// verify checks that the consumer exists and that this process knows all of its members, and
// reports whether the result has changed. A member whose record was deleted by hand is unknown:
// reading would acknowledge its events undelivered (I3).
func (r *reader) verify(ctx context.Context, known map[string]bool) (changed bool) {
	period := r.opener.trust.period.Load()
	why := r.look(ctx, known, period)
	if why == nil {
		r.verified.Store(period)
		r.wake()
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if why != nil && (r.why == nil || r.since.IsZero()) {
		r.since = time.Now()
	}
	before := r.reported
	r.why, r.reported = why, why
	if why != nil && time.Since(r.since) < patience {
		r.reported = errNotRead
	}
	return fmt.Sprint(r.reported) != fmt.Sprint(before)
}

// look reads the consumer and compares its members with the known ones. A member that is new since
// the last look in this period may be unknown: it does not become ready before this trusted process
// knows it (I4). So a row of new targets does not stop reading.
func (r *reader) look(ctx context.Context, known map[string]bool, period int64) error {
	ctx, cancel := context.WithTimeout(ctx, jetstream.RequestTimeout)
	defer cancel()
	consumer, err := r.opener.Client.JetStream().Consumer(ctx, r.id.Stream, r.id.Name)
	if err != nil {
		return fmt.Errorf("read consumer %s: %w", r.id.Name, err)
	}
	if !r.shared {
		return nil
	}
	before, again := r.seen, r.seenIn == period
	r.seen, r.seenIn = jetstream.MembersIn(consumer.CachedInfo().Config.Metadata), period
	for _, tag := range r.seen {
		if !known[tag] && (!again || slices.Contains(before, tag)) {
			return ErrLostRoute
		}
	}
	return nil
}
