package jetstream

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/naming"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/route"
)

// Sweep repairs and cleans up what this owner made: it makes logs and consumers again that were deleted by hand, remembers
// where the cursors stand, and removes the cursors and logs of routes that ended longer ago than the grace period. Nothing is
// removed on the word of a cache: the tombstones are read from the server here. A record that cannot be read is left alone
// and reported; the rest is swept.
func (o *Owner) Sweep(ctx context.Context) error {
	records, err := o.client.Records(ctx, "")
	if err != nil && !errors.Is(err, route.ErrRecord) {
		return err
	}
	errs := []error{err, o.positions.look(ctx)}
	addresses := map[route.Key]route.Address{}
	targets := map[route.Key][]route.Target{}
	for _, r := range records {
		switch {
		case r.Owner() != o.name:
		case r.DeletedAt != nil:
			errs = append(errs, o.sweepTombstone(ctx, r))
		case r.Address != nil:
			addresses[r.Address.Key] = *r.Address
		case r.Target.Consumer != "":
			targets[r.Target.Key.Address] = append(targets[r.Target.Key.Address], *r.Target)
		}
	}
	for _, address := range addresses {
		errs = append(errs, o.repairLog(ctx, address))
	}
	for key, ofAddress := range targets {
		_, live := addresses[key]
		for stream, cursors := range o.client.byStream(ofAddress) {
			if live || stream == o.client.names.Log(key) { // of a stream that is not ours, we have let go with the address
				errs = append(errs, o.repairCursors(ctx, stream, cursors))
			}
		}
		errs = append(errs, o.repairDirected(ctx, key, ofAddress))
	}
	return errors.Join(errs...)
}

// byStream sorts targets by the stream that their cursors are in.
func (c *Client) byStream(targets []route.Target) map[string][]route.Target {
	streams := map[string][]route.Target{}
	for _, t := range targets {
		streams[c.streamOf(t)] = append(streams[c.streamOf(t)], t)
	}
	return streams
}

// sweepTombstone removes, after the grace period, what the route had. The tombstone itself stays much longer: it is the only
// thing that tells a process which was cut off meanwhile that the route has ended.
func (o *Owner) sweepTombstone(ctx context.Context, r StoredRecord) error {
	switch age := time.Since(*r.DeletedAt); {
	case !r.Swept && age > o.grace:
		return o.remove(ctx, r)
	case r.Swept && age > o.grace+tombstoneLife:
		return o.client.purgeRecord(ctx, r)
	}
	return nil
}

// remove deletes what a tombstone's route had, and then marks the tombstone: in this order, so that a crash leaves work, not
// orphans. Nobody puts the route anew meanwhile.
func (o *Owner) remove(ctx context.Context, r StoredRecord) error {
	o.changing.Lock()
	defer o.changing.Unlock()
	now, found, err := o.client.record(ctx, recordKey(r.Record))
	if err != nil || !found || now.Revision != r.Revision {
		return err // it lives again
	}
	if r.Target != nil {
		err = o.removeCursors(ctx, *r.Target)
	} else {
		err = o.removeStreams(ctx, *r.Address)
	}
	if err != nil {
		return fmt.Errorf("remove what %s had: %w", recordKey(r.Record), err)
	}
	r.Swept = true
	_, err = o.client.replaceRecord(ctx, r) // one that lives again meanwhile is repaired by the next sweep
	return err
}

func (o *Owner) removeCursors(ctx context.Context, t route.Target) error {
	names := o.client.names
	return errors.Join(
		ignoreMissing(o.client.js.DeleteConsumer(ctx, o.client.streamOf(t), o.client.consumerOf(t))),
		ignoreMissing(o.client.js.DeleteConsumer(ctx, names.DirectedStream(t.Key.Address), names.Consumer(t.Key))),
		o.purgeDirected(ctx, t.Key),
		o.positions.forget(ctx, naming.TargetKey(t.Key)),
		o.removeUnshared(ctx, t.Key.Address),
	)
}

// removeStreams removes the streams of an address. Of one that it had adopted only our cursors go.
func (o *Owner) removeStreams(ctx context.Context, a route.Address) error {
	names := o.client.names
	streams := []string{names.DirectedStream(a.Key), names.DeadLetterStream(a.Key)}
	var errs []error
	if a.Log.Stream != "" {
		errs = append(errs, o.removeForeign(ctx, a))
	} else {
		streams = append(streams, names.Log(a.Key))
	}
	for _, stream := range streams {
		errs = append(errs, ignoreMissing(o.client.js.DeleteStream(ctx, stream)))
	}
	return errors.Join(errs...)
}

// purgeDirected removes what was parked for a target that is gone: nobody would ever take it.
func (o *Owner) purgeDirected(ctx context.Context, key route.TargetKey) error {
	names := o.client.names
	stream, err := o.client.js.Stream(ctx, names.DirectedStream(key.Address))
	if err != nil {
		return ignoreMissing(err)
	}
	return errors.Join(
		stream.Purge(ctx, jetstream.WithPurgeSubject(names.DirectedSubject(key))),
		stream.Purge(ctx, jetstream.WithPurgeSubject(names.ParkedSubjectsOf(key))),
	)
}

// RunSweeps sweeps every interval until ctx ends.
func (o *Owner) RunSweeps(ctx context.Context, interval time.Duration) {
	said := ""
	for {
		pause(ctx, interval)
		if ctx.Err() != nil {
			return
		}
		sweep, cancel := context.WithTimeout(ctx, 6*requestTimeout)
		err := errors.Join(o.client.EnsureBuckets(sweep), o.Sweep(sweep)) // NATS may have restarted, and forgotten what it had in memory
		cancel()
		if err == nil {
			said = ""
		} else if err.Error() != said && ctx.Err() == nil {
			said = err.Error()
			o.client.log.Warn("the sweep of streams and consumers is not complete; it is tried again", "error", err)
		}
	}
}
