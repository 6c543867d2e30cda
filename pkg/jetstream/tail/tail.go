// Package tail shows the events of a log as they are stored. It is for operators; no ingress and no
// filter links it.
//
// A tail reads the log message by message, and looks for new ones every few milliseconds. It makes
// no consumer: the trimmer keeps what any consumer of the log has not got yet (I7), be that one of
// those that acknowledge or not, so that a tail on a stopped terminal would fill the log. What the
// log is trimmed of before the tail has come there is counted, and not shown.
package tail

import (
	"context"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/nats-io/nats.go"
	natsjs "github.com/nats-io/nats.go/jetstream"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/dispatch"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/codec"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/replay"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/loop"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/route"
)

// lookEvery is the time between two looks whether something new is stored. What is delivered and
// trimmed in that time is not shown, so it is short.
const lookEvery = 20 * time.Millisecond

// Tail reads one log.
type Tail struct {
	target   route.Target
	match    replay.Matcher
	stream   natsjs.Stream
	subjects []string
	// next is the sequence of the log that is read next.
	next uint64
}

// Viewer gets what a tail reads.
type Viewer interface {
	// Show has one event. Its error ends the tail.
	Show(dispatch.Work) error
	// Missed counts events that the log has had, and was trimmed of before they were read.
	Missed(events uint64)
}

// Open begins at the end of the log of a Trigger, Subscription, Broker or Channel, or with what was
// stored since the slice's From; the slice has no end. Error: filter.ErrInvalidFilter.
func Open(ctx context.Context, c *jetstream.Client, of route.Record, s replay.Slice) (*Tail, error) {
	t := &Tail{target: targetOf(of), subjects: []string{jetstream.Everything}}
	var err error
	if t.match, err = replay.NewMatcher(s, t.target); err != nil {
		return nil, err
	}
	if t.stream, err = c.JetStream().Stream(ctx, c.StreamOf(t.target)); err != nil {
		return nil, fmt.Errorf("read stream %s: %w", c.StreamOf(t.target), err)
	}
	if len(t.target.Subjects) > 0 { // a part of somebody else's stream
		t.subjects = append([]string{c.Names().LogSubjects(t.target.Key.Address)}, t.target.Subjects...)
	}
	state := t.stream.CachedInfo().State
	t.next = state.LastSeq + 1
	if !s.From.IsZero() {
		t.next, err = jetstream.FirstSince(ctx, t.stream, jetstream.Span{First: max(state.FirstSeq, 1), End: t.next}, s.From)
	}
	return t, err
}

// targetOf takes an address for a target that gets everything.
func targetOf(r route.Record) route.Target {
	if r.Target != nil {
		return *r.Target
	}
	t := route.Target{Key: route.TargetKey{Address: r.Address.Key}, Stream: r.Address.Log.Stream}
	if t.Stream != "" {
		t.Subjects = r.Address.Log.Subjects
	}
	return t
}

// Run shows the events that are meant, in their order, until ctx ends.
func (t *Tail) Run(ctx context.Context, v Viewer) error {
	for {
		err := t.look(ctx, v)
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			return err
		}
		loop.Sleep(ctx, lookEvery)
	}
}

// look shows what the log has now.
func (t *Tail) look(ctx context.Context, v Viewer) error {
	last := uint64(math.MaxUint64)
	if len(t.subjects) > 1 {
		// What is stored meanwhile on one of them must not hide what was stored before on another.
		info, err := t.stream.Info(ctx)
		if err != nil {
			return fmt.Errorf("read stream %s: %w", t.stream.CachedInfo().Config.Name, err)
		}
		last = info.State.LastSeq
	}
	for {
		m, err := t.read(ctx)
		if err != nil || m == nil || m.Sequence > last {
			return err
		}
		if m.Sequence > t.next && t.target.Stream == "" {
			v.Missed(m.Sequence - t.next)
		}
		t.next = m.Sequence + 1
		work, err := t.decode(m)
		if err == nil && t.match.Has(work) {
			err = v.Show(work)
		}
		if err != nil {
			return err
		}
	}
}

// read returns the next message; nil when there is none.
func (t *Tail) read(ctx context.Context) (next *natsjs.RawStreamMsg, err error) {
	for _, subject := range t.subjects {
		m, err := t.stream.GetMsg(ctx, t.next, natsjs.WithGetMsgSubject(subject))
		if errors.Is(err, natsjs.ErrMsgNotFound) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("read stream %s: %w", t.stream.CachedInfo().Config.Name, err)
		}
		if next == nil || m.Sequence < next.Sequence {
			next = m
		}
	}
	return next, nil
}

// decode reads the message as a filter process does, which has the message's place from the ack
// subject.
func (t *Tail) decode(raw *natsjs.RawStreamMsg) (dispatch.Work, error) {
	m := &nats.Msg{
		Subject: raw.Subject, Header: raw.Header, Data: raw.Data,
		Sub:   &nats.Subscription{}, // nats.go reads the place of no message without a subscription
		Reply: fmt.Sprintf("$JS.ACK.%s.tail.1.%d.%d.%d.0", t.stream.CachedInfo().Config.Name, raw.Sequence, raw.Sequence, raw.Time.UnixNano()),
	}
	if t.target.Key.Address.Kind == route.KindChannel {
		return codec.DecodeChannel(m)
	}
	return codec.DecodeLog(m)
}
