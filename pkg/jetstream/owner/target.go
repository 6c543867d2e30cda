package owner

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	natsjs "github.com/nats-io/nats.go/jetstream"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/routes"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/naming"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/route"
)

// cursor is what a target had before.
type cursor struct {
	// consumer is empty when it had none.
	consumer string
	// after is the target's After, if it shares.
	after uint64
}

// makeCursor makes what a target needs that had this cursor, and enters it in the target: a new cursor where its Start says, one that it
// had where that stood; and the directed stream. A target that is not ready gets no cursor, unless it had one: then its events wait.
func (o *Owner) makeCursor(ctx context.Context, t *route.Target, had cursor) error {
	t.Consumer, t.After = "", 0
	if t.NotReady != "" && had.consumer == "" {
		return nil
	}
	err := o.ensureCursor(ctx, t, had)
	if errors.Is(err, natsjs.ErrStreamNotFound) && t.NotReady != "" {
		t.Consumer, t.After = "", 0 // the log is gone with its address, and the cursor with the log
		return nil
	}
	return err
}

// cursorOf tells what cursor the target had that has this record, or whose record is lost: then it takes that over. A swept one has
// none any more.
func (o *Owner) cursorOf(ctx context.Context, t route.Target, have routes.StoredRecord) (cursor, error) {
	switch {
	case have.Target == nil:
		own, err := o.lostCursor(ctx, t)
		if err != nil || own.consumer != "" || !shares(t) {
			return own, err
		}
		return o.lostMember(ctx, t)
	case have.Swept:
		return cursor{}, nil
	case have.Target.Stream != t.Stream:
		return cursor{}, o.leaveStream(ctx, *have.Target) // what it had is in another stream
	}
	return cursor{have.Target.Consumer, have.Target.After}, nil
}

// lostMember tells whether a target without a record is a member of the shared consumer, or was one when somebody deleted that too. Then
// it gets what the shared consumer has not passed: twice beats never.
func (o *Owner) lostMember(ctx context.Context, t route.Target) (cursor, error) {
	shared := cursor{consumer: o.client.Names().SharedConsumer()}
	have, err := o.sharedConsumer(ctx, t.Key.Address)
	if errors.Is(err, natsjs.ErrConsumerNotFound) {
		_, known, err := o.positions.read(ctx, naming.SharedKey(t.Key.Address))
		if err != nil || known {
			return shared, err
		}
		return cursor{}, nil
	}
	if err == nil && slices.Contains(jetstream.MembersIn(have.Config.Metadata), jetstream.MemberTag(t.Key)) {
		return shared, nil
	}
	return cursor{}, jetstream.IgnoreMissing(err)
}

// lostCursor tells whether a target without a record has a cursor of its own. One whose consumer was deleted by hand has it too, until a
// sweep gives it up.
func (o *Owner) lostCursor(ctx context.Context, t route.Target) (cursor, error) {
	own := cursor{consumer: o.consumerOf(t)}
	_, err := o.client.JetStream().Consumer(ctx, o.client.StreamOf(t), own.consumer)
	if err == nil {
		return own, nil
	}
	if jetstream.IgnoreMissing(err) != nil {
		return cursor{}, fmt.Errorf("read the cursor of %s: %w", t.Key, err)
	}
	if _, known, err := o.positions.read(ctx, naming.TargetKey(t.Key)); err != nil || known {
		return own, err
	}
	return cursor{}, nil
}

// ensureCursor makes the directed stream and the target's cursor, and enters the cursor in the target. The stream comes first: a member of
// the shared consumer that gets no record keeps every filter that starts from reading (see takeBack).
func (o *Owner) ensureCursor(ctx context.Context, t *route.Target, had cursor) error {
	if err := o.ensureDirected(ctx, t.Key.Address); err != nil {
		return err
	}
	shared := o.client.Names().SharedConsumer()
	if had.consumer == shared || (had.consumer == "" && shares(*t)) {
		return o.join(ctx, t, had)
	}
	return o.ensureOwn(ctx, t, had)
}

// ensureOwn makes the consumer that is the cursor of this target alone.
func (o *Owner) ensureOwn(ctx context.Context, t *route.Target, had cursor) error {
	stream, err := o.client.JetStream().Stream(ctx, o.client.StreamOf(*t))
	if err != nil {
		return fmt.Errorf("read stream %s: %w", o.client.StreamOf(*t), err)
	}
	log := stream.CachedInfo()
	t.Consumer = o.consumerOf(*t)
	config := startAt(o.cursorConfig(*t), t.Start, log.Config)
	if had.consumer == "" {
		t.Start.LacksUntil = lacksUntil(t.Start, log)
	} else if config, err = o.startAgain(ctx, *t, log); err != nil {
		return err
	}
	made, err := o.ensureConsumer(ctx, log.Config.Name, config)
	if err != nil || made == nil {
		return err
	}
	return o.positions.begin(ctx, naming.TargetKey(t.Key), positionOf(made, log.Created))
}

// lacksUntil tells since when the log has any event, if it had earlier ones that the start means and that are removed; else nil.
func lacksUntil(start route.Start, log *natsjs.StreamInfo) *time.Time {
	state := log.State
	if state.FirstSeq <= max(log.Config.FirstSeq, 1) {
		return nil // nothing was ever removed
	}
	first := state.FirstTime
	if state.Msgs == 0 {
		first = log.TimeStamp
	}
	switch {
	case start.Policy == route.StartTime && start.Time.Before(first), start.Policy == route.StartSequence && start.Sequence < state.FirstSeq:
		return &first
	}
	return nil
}

// startAgain is the consumer of a target whose cursor is lost: it begins where that stood.
func (o *Owner) startAgain(ctx context.Context, t route.Target, log *natsjs.StreamInfo) (natsjs.ConsumerConfig, error) {
	next, err := o.positions.next(ctx, naming.TargetKey(t.Key), log)
	return startAt(o.cursorConfig(t), route.Start{Policy: route.StartSequence, Sequence: next}, log.Config), err
}
