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

// beside is what there is of an address beside those who share its log: what is counted, and who has a cursor of his own.
type beside struct {
	counts *count.Address
	own    []*share.Group
}

// reader reads one consumer, of a log or of a directed stream, and deals its messages to the targets. Safe for concurrent use.
type reader struct {
	opener  *Opener
	id      pull.Consumer
	address route.Key
	// directed says that it is a directed stream's consumer, and shared that it is the cursor of all targets of a log.
	directed, shared bool
	decode           func(*nats.Msg) (dispatch.Work, error)
	group            *share.Group
	source           *pull.Source
	// live are its targets; the opener's lock guards them.
	live []route.Target
	// logBytes is the limit of the log.
	logBytes atomic.Int64
	// beside is nil for a reader that is not shared.
	beside atomic.Pointer[beside]
	// verified is the period of trust in which its consumer was seen, with no member that this process does not know.
	verified atomic.Int64
	// seen are the members at the last look, in the period of trust seenIn. Only verify uses them.
	seen   []string
	seenIn int64

	mu sync.Mutex
	// why is why it is not verified, since is when a look first found that, and told what was said of it last.
	why, told error
	since     time.Time
}

func (o *Opener) newReader(id pull.Consumer, t route.Target, directed bool) (*reader, error) {
	names := o.Client.Names()
	r := &reader{
		opener: o, id: id, address: t.Key.Address, directed: directed, why: errNotRead, told: errNotRead,
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

// open reports whether everybody who may want a message is known, or is about to be.
func (r *reader) open() bool {
	return r.opener.trust.lives() && r.verified.Load() == r.opener.trust.period.Load()
}

// Paused makes the reader a pull.Taker, as Space and Take do.
func (r *reader) Paused() bool { return r.opener.trust.pauses() && r.open() }

// current reports whether everybody who may want a message is known, as it is now.
func (r *reader) current() bool { return !r.opener.trust.pauses() && r.open() }

// Space is what the targets may still take.
func (r *reader) Space() share.Space {
	if !r.current() {
		return share.Space{}
	}
	return r.group.Space()
}

// Take deals a message, or gives it back while it is not known to whom.
func (r *reader) Take(m *nats.Msg, l *pull.Lease) {
	// First the trust, then the members: whoever became ready before this moment is among them.
	if !r.open() {
		_ = l.Release(jetstream.RetryPause)
		return
	}
	if !r.group.Wants(m.Subject) {
		if r.directed && !(*r.opener.over.Load())[m.Subject] {
			_ = l.Release(directedPause) // its target is known to others, and here soon
			return
		}
		r.unwanted(m)
		_ = l.Ack() // lost, it comes once more
		return
	}
	work, err := r.decode(m)
	if err != nil { // it has no ack subject, which cannot be in a message of a consumer of ours
		r.opener.Client.Logger().Error("what came is no message of a consumer", "subject", m.Subject, "error", err)
		_ = l.Release(time.Minute)
		return
	}
	if !r.group.Take(m.Subject, dispatch.Message{Work: work, Lease: l, Taken: time.Now()}) {
		r.unwanted(m)
	}
}

// unwanted counts a message that none of those wants who share the log, unless somebody gets it who has a cursor of his own.
func (r *reader) unwanted(m *nats.Msg) {
	b := r.beside.Load()
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

// wake has the reader go on after the trust has begun.
func (r *reader) wake() {
	r.source.AskMore()
	r.group.Wake()
}

func (r *reader) stop() {
	r.group.Close() // first: what the source still takes is given back at once
	r.source.Stop()
}

// failure is why the reader reads nothing although this process is trusted; nil when it reads.
func (r *reader) failure() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.told
}

// verify makes sure that the consumer is there and that this process knows every target which reads it. It reports whether the answer
// is another one than before. A routes bucket may have been deleted, or a record: then the target is not known here, and what is for it
// would be acknowledged.
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
	before := r.told
	r.why, r.told = why, why
	if why != nil && time.Since(r.since) < patience {
		r.told = errNotRead
	}
	return fmt.Sprint(r.told) != fmt.Sprint(before)
}

// look makes sure that the consumer is there, and that each member is known. One that has come since the last look of this period of trust
// is about to be put: while this process is trusted it does not become ready before it is known here. So targets that are made one after
// the other keep nobody from reading.
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
