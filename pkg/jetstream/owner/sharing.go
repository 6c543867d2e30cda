package owner

import (
	"context"
	"errors"
	"fmt"

	natsjs "github.com/nats-io/nats.go/jetstream"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/routes"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/naming"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/route"
)

// One durable consumer of a log is the cursor of all targets of its address. It reads the whole log, once for all of them, and each
// filter process picks what is for which target: what was stored after the target's After, and matches. See members.go for who they are.

// shares tells whether a target that has no cursor yet is one of those. Two kinds have a cursor of their own: one with a start
// position, because it wants what the shared consumer has passed, and one of an adopted stream, because consumers of ours in there are
// limited to the subjects of the address and taken away with the target. A target stays with the cursor that it has got.
func shares(t route.Target) bool { return t.Stream == "" && t.Start.Policy == route.StartNew }

// join makes the target one of those that share, from the sequence on that it has not got.
func (o *Owner) join(ctx context.Context, t *route.Target, had cursor) error {
	if err := o.enter(ctx, *t); err != nil {
		return err
	}
	// Read after the target is a member: from here on nothing is trimmed before it has got it.
	log, err := o.logState(ctx, t.Key.Address)
	if err != nil {
		return err
	}
	t.Consumer, t.After = o.client.Names().SharedConsumer(), log.State.LastSeq
	if had.consumer != "" {
		t.After = had.after
	}
	if t.After > log.State.LastSeq {
		t.After = 0 // that was in another log
	}
	return nil
}

func (o *Owner) logState(ctx context.Context, key route.Key) (*natsjs.StreamInfo, error) {
	stream, err := o.client.JetStream().Stream(ctx, o.client.Names().Log(key))
	if err != nil {
		return nil, fmt.Errorf("read stream %s: %w", o.client.Names().Log(key), err)
	}
	return stream.CachedInfo(), nil
}

// sharedConsumer reads the shared consumer of the address.
func (o *Owner) sharedConsumer(ctx context.Context, key route.Key) (*natsjs.ConsumerInfo, error) {
	log, name := o.client.Names().Log(key), o.client.Names().SharedConsumer()
	consumer, err := o.client.JetStream().Consumer(ctx, log, name)
	if err != nil {
		return nil, fmt.Errorf("read consumer %s of stream %s: %w", name, log, err)
	}
	return consumer.CachedInfo(), nil
}

// enter makes targets of one address members of its shared consumer, and the consumer if there is none.
func (o *Owner) enter(ctx context.Context, targets ...route.Target) error {
	t := targets[0]
	have, err := o.sharedConsumer(ctx, t.Key.Address)
	if errors.Is(err, natsjs.ErrConsumerNotFound) {
		err = o.makeShared(ctx, targets)
		if errors.Is(err, natsjs.ErrConsumerExists) {
			return o.enter(ctx, targets...) // another owner was quicker
		}
		return err
	}
	if err != nil {
		return err
	}
	want := o.sharedConfig(t)
	want.Metadata = withMember(withMetadata(have.Config.Metadata, want.Metadata), tagsOf(targets)...)
	if members := jetstream.MembersIn(want.Metadata); len(members) > maxMembers {
		return fmt.Errorf("%s: %w: %d", t.Key.Address, ErrTooManyTargets, maxMembers)
	}
	err = o.alignConsumer(ctx, o.client.Names().Log(t.Key.Address), have.Config, want)
	if errors.Is(err, natsjs.ErrConsumerDoesNotExist) {
		return o.enter(ctx, targets...) // another owner has removed the consumer since it was read
	}
	return err
}

// makeShared makes the shared consumer of the targets' address: where it stood if it had been there; if nobody knows where that was,
// after what all that share it are known to have got; else at the end of the log. Errors: natsjs.ErrConsumerExists.
func (o *Owner) makeShared(ctx context.Context, targets []route.Target) error {
	key := targets[0].Key.Address
	log, err := o.logState(ctx, key)
	if err != nil {
		return err
	}
	sharing, unclear := o.sharing(ctx, key)
	if unclear != nil && !errors.Is(unclear, route.ErrRecord) {
		return unclear
	}
	at, known, err := o.positions.read(ctx, naming.SharedKey(key))
	if err != nil {
		return err
	}
	start := route.Start{}
	if known || len(sharing) > 0 || unclear != nil {
		floor := sharedFloor(log, sharing, at)
		if unclear != nil && !at.Log.Equal(log.Created) {
			floor = 0 // one whose record cannot be read may share, and have got nothing
		}
		start = route.Start{Policy: route.StartSequence, Sequence: floor + 1}
		o.client.Logger().Warn("the shared consumer of a log was gone and is made again", "address", key.String(), "from", start.Sequence)
	}
	config := startAt(o.sharedConfig(targets[0]), start, log.Config)
	members, err := o.membersAt(ctx, key, at)
	if err != nil {
		return err
	}
	config.Metadata = withMember(config.Metadata, append(tagsOf(append(targets, sharing...)), members...)...)
	made, err := o.client.JetStream().CreateConsumer(ctx, log.Config.Name, config)
	if err != nil {
		return fmt.Errorf("create consumer %s of stream %s: %w", config.Durable, log.Config.Name, err)
	}
	return o.positions.begin(ctx, naming.SharedKey(key), positionOf(made.CachedInfo(), log.Created))
}

// membersAt returns the members that the shared consumer had at the position and that have not been removed since. The records of some may
// be lost as well: as long as they are, no process reads (I3).
func (o *Owner) membersAt(ctx context.Context, key route.Key, at position) ([]string, error) {
	members := at.members()
	if len(members) == 0 {
		return nil, nil
	}
	records, err := routes.Records(ctx, o.client, naming.TargetKeysOf(key))
	if err != nil && !errors.Is(err, route.ErrRecord) {
		return nil, err
	}
	var removed []string
	for _, r := range records {
		if r.Swept || r.Sweeping != nil {
			removed = append(removed, jetstream.MemberTag(r.Target.Key))
		}
	}
	return without(members, removed), nil
}

// sharedFloor is what all that share are known to have got of the log, if the shared consumer stood at the position.
func sharedFloor(log *natsjs.StreamInfo, sharing []route.Target, at position) uint64 {
	if at.Log.Equal(log.Created) {
		return min(at.Floor, log.State.LastSeq)
	}
	if len(sharing) == 0 {
		return 0
	}
	floor := sharing[0].After
	for _, t := range sharing {
		floor = min(floor, t.After)
	}
	if floor > log.State.LastSeq {
		return 0 // that was in another log
	}
	return floor
}

// sharing returns the targets of the address, of any owner, that share its consumer and are not swept, nor about to be.
// Errors: route.ErrRecord when some cannot be read, which may share it too; the others are returned with it.
func (o *Owner) sharing(ctx context.Context, key route.Key) ([]route.Target, error) {
	records, err := routes.Records(ctx, o.client, naming.TargetKeysOf(key))
	if err != nil && !errors.Is(err, route.ErrRecord) {
		return nil, err
	}
	var sharing []route.Target
	for _, r := range records {
		if !r.Swept && r.Sweeping == nil && r.Target.Consumer == o.client.Names().SharedConsumer() {
			sharing = append(sharing, *r.Target)
		}
	}
	return sharing, err
}

// leave takes members out of the shared consumer, and removes it with the last one: it would hold the log for ever. Where it stood is
// forgotten with it, and before: a target that comes later would go on there.
func (o *Owner) leave(ctx context.Context, key route.Key, tags ...string) error {
	members, gone, err := o.takeOut(ctx, key, tags)
	if err != nil {
		return err
	}
	if gone {
		if _, known, err := o.positions.read(ctx, naming.SharedKey(key)); err != nil || !known {
			return err
		}
	}
	sharing, err := o.sharing(ctx, key)
	if gone && (len(sharing) > 0 || errors.Is(err, route.ErrRecord)) {
		return nil // a sweep makes it again for them, where it stood
	}
	if err != nil {
		return err
	}
	if missing := notAmong(members, sharing); len(missing) > 0 {
		return o.enter(ctx, missing...) // another owner has put one of them meanwhile
	}
	if len(members) > 0 {
		return nil
	}
	if err := o.positions.forget(ctx, naming.SharedKey(key)); err != nil || gone {
		return err
	}
	if err := jetstream.IgnoreMissing(o.client.Removals().DeleteConsumer(ctx, o.client.Names().Log(key), o.client.Names().SharedConsumer())); err != nil {
		return err
	}
	// A target may have become a member just before: its owner looks whether the consumer is there after its record is, we look for its
	// record after the consumer is gone. One of us sees it.
	if sharing, err = o.sharing(ctx, key); err != nil || len(sharing) == 0 {
		return err
	}
	return o.enter(ctx, sharing...)
}

// takeOut takes members out of the shared consumer and returns the others. gone tells that there is no such consumer.
func (o *Owner) takeOut(ctx context.Context, key route.Key, tags []string) (others []string, gone bool, err error) {
	have, err := o.sharedConsumer(ctx, key)
	if err != nil {
		return nil, true, jetstream.IgnoreMissing(err)
	}
	want := have.Config
	want.Metadata = withoutMember(have.Config.Metadata, tags...)
	return jetstream.MembersIn(want.Metadata), false, o.alignConsumer(ctx, o.client.Names().Log(key), have.Config, want)
}

// takeBack takes a target out of the shared consumer whose Put has entered it there and has then failed, unless there is a record of it:
// the Put may fail for long, and a filter that starts reads nothing as long as it does not know every member.
func (o *Owner) takeBack(ctx context.Context, key route.TargetKey) {
	if !o.Connected() {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), jetstream.RequestTimeout) // the Put may have failed because its time was over
	defer cancel()
	have, found, err := Record(ctx, o.client, naming.TargetKey(key))
	switch {
	case err == nil && !found && have.Revision > 0:
		return // one that cannot be read may be that of a member
	case err == nil && found && !have.Swept && have.Target.Consumer == o.client.Names().SharedConsumer():
		return
	case err == nil:
		err = o.leave(ctx, key.Address, jetstream.MemberTag(key))
	}
	if err != nil {
		o.client.Logger().Warn("a target that could not be put is left a member of the shared consumer for a while", "target", key.String(), "error", err)
	}
}

// repairShared is repairCursors for the targets that share. shared is the consumer, nil if it is gone.
func (o *Owner) repairShared(ctx context.Context, records []routes.StoredRecord, log *natsjs.StreamInfo, shared *natsjs.ConsumerInfo) error {
	if len(records) == 0 {
		return nil
	}
	var errs []error
	var targets []route.Target
	for _, r := range records {
		t := *r.Target
		targets = append(targets, t)
		if t.After > log.State.LastSeq { // somebody made the log anew, with lower sequences
			t.After, r.Target = 0, &t
			_, _, err := o.swapRecord(ctx, r) // one that was written meanwhile is looked at by the next sweep
			errs = append(errs, err)
		}
	}
	var members []string
	if shared != nil {
		members = jetstream.MembersIn(shared.Config.Metadata)
	}
	if missing := notAmong(members, targets); len(missing) > 0 {
		errs = append(errs, o.enter(ctx, missing...))
	}
	if shared != nil {
		at := positionOf(shared, log.Created)
		errs = append(errs, o.positions.remember(ctx, naming.SharedKey(records[0].Target.Key.Address), at))
	}
	return errors.Join(errs...)
}
