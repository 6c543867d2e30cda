package owner

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/loop"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/buckets"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/routes"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/naming"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/route"
)

const (
	// removeBudget bounds the removal of what one route had.
	removeBudget = 2 * jetstream.RequestTimeout
	// takeOver is how long after the mark of a removal another one may take it over: the first has given up long since, or its process is
	// dead, and what it has sent has come or will not come.
	takeOver = 6 * removeBudget
	// sweepingPause is the time between two looks at a route that is being swept.
	sweepingPause = 20 * time.Millisecond
)

// Sweep repairs and cleans up what this owner made: it makes logs and consumers again that were deleted by hand, remembers
// where the cursors stand, and removes the cursors and logs of routes that ended longer ago than the grace period. Nothing is
// removed on the word of a cache: the tombstones are read from the server here. A record that cannot be read is left alone
// and reported; the rest is swept.
func (o *Owner) Sweep(ctx context.Context) error {
	records, err := routes.Records(ctx, o.client, "")
	if err != nil && !errors.Is(err, route.ErrRecord) {
		return err
	}
	errs := []error{err, o.positions.look(ctx)}
	addresses := map[route.Key]route.Address{}
	targets := map[route.Key][]routes.StoredRecord{}
	members := map[route.Key][]string{}
	for _, r := range records {
		if r.Target != nil && !r.Swept && r.Target.Consumer == o.client.Names().SharedConsumer() {
			members[r.Target.Key.Address] = append(members[r.Target.Key.Address], jetstream.MemberTag(r.Target.Key))
		}
		switch {
		case r.Owner() != o.name:
		case r.DeletedAt != nil && o.isDue(r):
			errs = append(errs, o.sweepTombstone(ctx, r))
		case r.Target != nil && r.Target.Consumer != "" && !r.Swept && r.Sweeping == nil:
			targets[r.Target.Key.Address] = append(targets[r.Target.Key.Address], r)
		case r.Address != nil && r.DeletedAt == nil:
			addresses[r.Address.Key] = *r.Address
		}
	}
	rescues := rescueMost
	for key, address := range addresses { // in another order each time, so that each has its turn
		errs = append(errs, o.repairStreams(ctx, address, len(targets[key]) > 0))
		if err == nil { // else one that cannot be read may be the record of a member
			errs = append(errs, o.sweepMembers(ctx, key, members[key]))
		}
		if len(targets[key]) > 0 {
			errs = append(errs, o.rescueOverdue(ctx, key, &rescues))
		}
	}
	for key, ofAddress := range targets {
		_, live := addresses[key]
		for stream, cursors := range o.byStream(ofAddress) {
			if live || stream == o.client.Names().Log(key) { // of a stream that is not ours, we have let go with the address
				errs = append(errs, o.repairCursors(ctx, stream, cursors))
			}
		}
	}
	return errors.Join(errs...)
}

// byStream sorts targets by the stream that their cursors are in.
func (o *Owner) byStream(targets []routes.StoredRecord) map[string][]routes.StoredRecord {
	streams := map[string][]routes.StoredRecord{}
	for _, t := range targets {
		streams[o.client.StreamOf(*t.Target)] = append(streams[o.client.StreamOf(*t.Target)], t)
	}
	return streams
}

// isDue tells whether there is something to be removed of a tombstone: after the grace period what the route had, and much later the
// tombstone itself, which is the only thing that tells a process which was cut off meanwhile that the route has ended.
func (o *Owner) isDue(r routes.StoredRecord) bool {
	if r.Swept {
		return time.Since(*r.DeletedAt) > o.grace+tombstoneLife
	}
	return r.Sweeping != nil || time.Since(*r.DeletedAt) > o.grace
}

func (o *Owner) sweepTombstone(ctx context.Context, r routes.StoredRecord) error {
	if r.Swept {
		return o.purgeRecord(ctx, r)
	}
	err := o.remove(ctx, r)
	if errors.Is(err, ErrSweeping) || errors.Is(err, ErrConflict) {
		return nil // somebody else does it, or it lives again
	}
	return err
}

// remove deletes what a tombstone's route had, between two marks that are written by compare-and-set. After the first nobody makes
// anything of it anew, until the second says that all of it is gone. A crash in between leaves the first mark, and a later sweep goes on.
// Errors: ErrSweeping when somebody else is at it; ErrConflict when the record is not any more what was read.
func (o *Owner) remove(ctx context.Context, r routes.StoredRecord) error {
	ctx, cancel := context.WithTimeout(ctx, removeBudget) // before the mark: it is over before anybody takes over
	defer cancel()
	key := routes.RecordKey(r.Record)
	o.mu.Lock()
	mine := o.unfinished[key] == r.Revision
	delete(o.unfinished, key)
	o.mu.Unlock()
	if r.Sweeping != nil && time.Since(*r.Sweeping) < takeOver && !mine {
		return fmt.Errorf("%s: %w", key, ErrSweeping)
	}
	now := time.Now().UTC()
	r.Sweeping = &now
	if err := o.mark(ctx, &r); err != nil {
		return err
	}
	var err error
	if r.Target != nil {
		err = o.removeCursors(ctx, *r.Target)
	} else {
		err = o.removeStreams(ctx, *r.Address)
	}
	if err != nil {
		o.mu.Lock()
		o.unfinished[key] = r.Revision
		o.mu.Unlock()
		return fmt.Errorf("remove what %s had: %w", key, err)
	}
	r.Swept = true
	return o.mark(ctx, &r)
}

// mark writes the record in place of the one that was read: ErrConflict when that is not there any more.
func (o *Owner) mark(ctx context.Context, r *routes.StoredRecord) error {
	revision, replaced, err := o.swapRecord(ctx, *r)
	if err == nil && !replaced {
		err = fmt.Errorf("%s: %w", routes.RecordKey(r.Record), ErrConflict)
	}
	r.Revision = revision
	return err
}

// removeCursors removes what a target had, also a consumer of its own that its record does not name: it would hold the log for ever. What was
// parked goes before its part of the shared consumer: until that is gone a filter parks for it.
func (o *Owner) removeCursors(ctx context.Context, t route.Target) error {
	errs := []error{o.purgeDirected(ctx, t.Key)}
	if t.Stream == "" {
		errs = append(errs, o.leave(ctx, t.Key.Address, jetstream.MemberTag(t.Key)))
	}
	errs = append(errs, jetstream.IgnoreMissing(o.client.Removals().DeleteConsumer(ctx, o.client.StreamOf(t), o.consumerOf(t))),
		o.positions.forget(ctx, naming.TargetKey(t.Key)), o.forgetHandle(ctx, naming.TargetKey(t.Key)))
	return errors.Join(errs...)
}

// removeStreams removes the streams of an address. Of one that it had adopted only our cursors go.
func (o *Owner) removeStreams(ctx context.Context, a route.Address) error {
	names := o.client.Names()
	streams := []string{names.DirectedStream(a.Key), names.DeadLetterStream(a.Key)}
	errs := []error{o.positions.forget(ctx, naming.SharedKey(a.Key)), o.forgetHandle(ctx, naming.AddressKey(a.Key))}
	if a.Log.Stream != "" {
		errs = append(errs, o.removeForeign(ctx, a))
	} else {
		streams = append(streams, names.Log(a.Key))
	}
	for _, stream := range streams {
		errs = append(errs, jetstream.IgnoreMissing(o.client.Removals().DeleteStream(ctx, stream)))
	}
	return errors.Join(errs...)
}

// RunSweeps sweeps every interval until ctx ends.
func (o *Owner) RunSweeps(ctx context.Context, interval time.Duration) {
	said := ""
	for {
		loop.Sleep(ctx, interval)
		if ctx.Err() != nil {
			return
		}
		sweep, cancel := context.WithTimeout(ctx, 6*jetstream.RequestTimeout)
		err := errors.Join(buckets.Ensure(sweep, o.client), o.Sweep(sweep)) // NATS may have restarted, and forgotten what it had in memory
		cancel()
		if err == nil {
			said = ""
		} else if err.Error() != said && ctx.Err() == nil {
			said = err.Error()
			o.client.Logger().Warn("the sweep of streams and consumers is not complete; it is tried again", "error", err)
		}
	}
}
