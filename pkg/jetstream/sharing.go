package jetstream

import (
	"context"
	"errors"
	"fmt"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/filter"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/naming"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/route"
)

// A consumer of its own costs NATS a file that it writes ten times a second while events come, and a visit by each purge; one that reads
// the whole log costs a copy of every event besides. So the first few targets of a Broker have one each, and those that come later
// share one.
const (
	// ownReaders is how many consumers a log has before a new target whose filter no subject can narrow shares.
	ownReaders = 2
	// ownConsumers is how many it has before every new target shares.
	ownConsumers = 16
)

// shares tells whether a target that has no cursor yet is to share one. It stays with that for life: to go from one cursor to another
// without a gap or a repetition takes every filter process at the same moment.
func (o *Owner) shares(t route.Target, log *jetstream.StreamInfo) bool {
	if t.Key.Address.Kind != route.KindBroker || t.Stream != "" || t.Start.Policy != route.StartNew {
		return false // the shared consumer is read from where it stands
	}
	if filter.Subjects(t.Filter, o.client.names.Subjects(t.Key.Address)) == nil {
		return log.State.Consumers >= o.client.timing.ownReaders
	}
	return log.State.Consumers >= o.client.timing.ownConsumers
}

// join makes the target one of those that share, from the sequence on that it has not got.
func (o *Owner) join(ctx context.Context, t *route.Target, after uint64, log *jetstream.StreamInfo) error {
	if after > log.State.LastSeq {
		after = 0 // that was in another log
	}
	t.Consumer, t.Shared, t.After = o.client.names.SharedConsumer(), true, after
	if err := o.ensureShared(ctx, *t, log); err != nil {
		return err
	}
	return o.rememberSharing(ctx, *t, log)
}

func (o *Owner) rememberSharing(ctx context.Context, t route.Target, log *jetstream.StreamInfo) error {
	return o.positions.remember(ctx, naming.TargetKey(t.Key), position{Log: log.Created, Floor: t.After, Shared: true, UID: t.UID})
}

// ensureShared makes the shared consumer of the target's address: where it stood if it had been there, else at the end of the log.
func (o *Owner) ensureShared(ctx context.Context, t route.Target, log *jetstream.StreamInfo) error {
	stream, config := log.Config.Name, o.client.sharedConfig(t)
	_, err := o.client.js.Consumer(ctx, stream, config.Durable)
	if errors.Is(err, jetstream.ErrConsumerNotFound) {
		if config, err = o.sharedAgain(ctx, t, log); err != nil {
			return err
		}
	}
	if err != nil {
		return fmt.Errorf("read consumer %s of stream %s: %w", config.Durable, stream, err)
	}
	made, err := o.client.ensureConsumer(ctx, stream, config)
	if err != nil || made == nil {
		return err
	}
	return o.rememberShared(ctx, t.Key.Address, log, made)
}

// sharedAgain is the shared consumer where there is none. Should nobody know where it stood, then whoever shares it gets everything since
// he came: twice beats never.
func (o *Owner) sharedAgain(ctx context.Context, t route.Target, log *jetstream.StreamInfo) (jetstream.ConsumerConfig, error) {
	config, key := o.client.sharedConfig(t), naming.SharedKey(t.Key.Address)
	_, known, err := o.positions.read(ctx, key)
	if err != nil {
		return config, err
	}
	if !known {
		shared, err := o.isShared(ctx, t.Key.Address)
		if err != nil {
			return config, err
		}
		if !shared {
			return startAt(config, route.Start{}, log.Config), nil
		}
	}
	next, err := o.positions.next(ctx, key, log)
	return startAt(config, route.Start{Policy: route.StartSequence, Sequence: next}, log.Config), err
}

func (o *Owner) rememberShared(ctx context.Context, key route.Key, log *jetstream.StreamInfo, c *jetstream.ConsumerInfo) error {
	return o.positions.remember(ctx, naming.SharedKey(key), position{Log: log.Created, Floor: c.AckFloor.Stream})
}

// isShared tells, past every cache, whether a target of the address shares its consumer, or is to share it again once its lost record
// is back.
func (o *Owner) isShared(ctx context.Context, key route.Key) (bool, error) {
	records, err := o.client.Records(ctx, naming.TargetKeysOf(key))
	if err != nil {
		return false, err // one that cannot be read may share it
	}
	recorded := map[string]bool{}
	for _, r := range records {
		recorded[recordKey(r.Record)] = true
		if r.DeletedAt == nil && r.Target.Shared {
			return true, nil
		}
	}
	positions, err := o.client.sharingPositions(ctx, naming.TargetKeysOf(key))
	for lost := range positions {
		if !recorded[lost] {
			return true, err
		}
	}
	return false, err
}

// leaveShared gives a target that ends a consumer of its own, where the shared one stands: what comes while it is gone waits there until
// the grace period is over, as for any other target. What it got lately it gets again if it comes back.
func (o *Owner) leaveShared(ctx context.Context, t *route.Target) error {
	if !t.Shared {
		return nil
	}
	after := t.After
	t.Consumer, t.Shared, t.After = "", false, 0
	stream, err := o.client.js.Stream(ctx, o.client.streamOf(*t))
	if err != nil {
		return ignoreMissing(err) // the cursor went with its log
	}
	log := stream.CachedInfo()
	var floor uint64
	shared, err := stream.Consumer(ctx, o.client.names.SharedConsumer())
	switch {
	case err == nil:
		floor = shared.CachedInfo().AckFloor.Stream
	case errors.Is(err, jetstream.ErrConsumerNotFound):
		next, err := o.positions.next(ctx, naming.SharedKey(t.Key.Address), log)
		if err != nil {
			return err
		}
		floor = next - 1
	default:
		return fmt.Errorf("read consumer %s of stream %s: %w", o.client.names.SharedConsumer(), log.Config.Name, err)
	}
	floor = min(max(floor, after), log.State.LastSeq)
	t.Consumer = o.client.consumerOf(*t)
	config := startAt(o.client.cursorConfig(*t), route.Start{Policy: route.StartSequence, Sequence: floor + 1}, log.Config)
	_, err = o.client.ensureConsumer(ctx, log.Config.Name, config)
	if isOutOfConsumers(err) {
		o.client.log.Warn("a target that ends cannot have a consumer for its grace period: if it comes back it begins anew",
			"target", t.Key.String(), "error", err)
		t.Consumer = ""
		return o.positions.forget(ctx, naming.TargetKey(t.Key))
	}
	if err != nil {
		return err
	}
	return o.positions.remember(ctx, naming.TargetKey(t.Key), position{Log: log.Created, Floor: floor})
}

// removeUnshared removes the shared consumer of an address once nobody shares it: it would hold the log for ever.
func (o *Owner) removeUnshared(ctx context.Context, key route.Key) error {
	if key.Kind != route.KindBroker {
		return nil
	}
	shared, err := o.isShared(ctx, key)
	if err != nil || shared {
		return err
	}
	err = ignoreMissing(o.client.js.DeleteConsumer(ctx, o.client.names.Log(key), o.client.names.SharedConsumer()))
	if err != nil {
		return err
	}
	return o.positions.forget(ctx, naming.SharedKey(key))
}

// repairShared is repairCursors for the targets that share.
func (o *Owner) repairShared(
	ctx context.Context, targets []route.Target, log *jetstream.StreamInfo, consumers map[string]*jetstream.ConsumerInfo,
) error {
	if len(targets) == 0 {
		return nil
	}
	var errs []error
	for _, t := range targets {
		errs = append(errs, o.rememberSharing(ctx, t, log))
		if t.After > log.State.LastSeq {
			errs = append(errs, o.beginAnew(ctx, t.Key, log.State.LastSeq))
		}
		if consumers[o.client.consumerOf(t)] != nil {
			errs = append(errs, o.removeLeft(ctx, t.Key))
		}
	}
	if shared := consumers[o.client.names.SharedConsumer()]; shared != nil {
		errs = append(errs, o.rememberShared(ctx, targets[0].Key.Address, log, shared))
	} else {
		errs = append(errs, o.ensureShared(ctx, targets[0], log))
	}
	return errors.Join(errs...)
}

// removeLeft removes the consumer that a target got when it was about to end, and did not end after all.
func (o *Owner) removeLeft(ctx context.Context, key route.TargetKey) error {
	o.changing.Lock()
	defer o.changing.Unlock()
	now, found, err := o.client.record(ctx, naming.TargetKey(key))
	if err != nil || !found || now.DeletedAt != nil || !now.Target.Shared {
		return err
	}
	return ignoreMissing(o.client.js.DeleteConsumer(ctx, o.client.names.Log(key.Address), o.client.names.Consumer(key)))
}

// beginAnew lets a target have all of a log that somebody made anew, with lower sequences than the one before had.
func (o *Owner) beginAnew(ctx context.Context, key route.TargetKey, last uint64) error {
	now, found, err := o.client.record(ctx, naming.TargetKey(key))
	if err != nil || !found || now.DeletedAt != nil || !now.Target.Shared || now.Target.After <= last {
		return err
	}
	now.Target.After = 0
	_, err = o.client.replaceRecord(ctx, now) // one that was written meanwhile is looked at by the next sweep
	return err
}
