package owner

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	natsjs "github.com/nats-io/nats.go/jetstream"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/buckets"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/routes"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/trim"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/naming"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/route"
)

// PredecessorError means that a stream of a resource of the same name, which was deleted, is in the way: NATS cannot make it
// what the new one wants. It is an ErrImmutable. See EndPredecessor.
type PredecessorError struct {
	Stream string
	// Field is what differs and cannot be changed.
	Field string
	// UID is that of the resource that the stream was made for.
	UID string
}

func (e *PredecessorError) Error() string {
	return fmt.Sprintf("stream %s, of a resource of this name that was deleted, is in the way: %v: %s", e.Stream, ErrImmutable, e.Field)
}

// Unwrap returns ErrImmutable.
func (e *PredecessorError) Unwrap() error { return ErrImmutable }

// EndPredecessor makes room for an address that PutAddress refused with a PredecessorError: it ends the route of the resource that
// had the name before, and removes its streams once nothing in them is undelivered, or its grace period is over, like that of
// any resource that was deleted. Call it again until it returns the zero time; otherwise it returns when the grace period ends.
//
// The caller makes sure, past every cache, that the address's own resource is the one that exists.
func (o *Owner) EndPredecessor(ctx context.Context, a route.Address, before *PredecessorError) (until time.Time, err error) {
	tombstone, err := o.tombstoneOf(ctx, a, before)
	if err != nil {
		return time.Time{}, err
	}
	until = tombstone.DeletedAt.Add(o.grace)
	if time.Now().Before(until) {
		if heard, err := o.allHaveHeard(ctx, tombstone); err != nil || !heard {
			return until, err
		}
		if delivered, err := o.allDelivered(ctx, *tombstone.Address); err != nil || !delivered {
			return until, err
		}
	}
	return time.Time{}, o.remove(ctx, tombstone)
}

// tombstoneOf returns the tombstone of the address's predecessor, which it writes where there is none. One that was swept
// although streams are still there begins anew.
func (o *Owner) tombstoneOf(ctx context.Context, a route.Address, before *PredecessorError) (routes.StoredRecord, error) {
	key := naming.AddressKey(a.Key)
	have, err := o.present(ctx, key)
	if err != nil {
		return routes.StoredRecord{}, err
	}
	found := have.Address != nil
	switch {
	case found && have.DeletedAt != nil && have.Owner() != o.name:
		return routes.StoredRecord{}, fmt.Errorf("%s: %w (%s)", key, ErrForeignRoute, have.Owner())
	case found && have.DeletedAt != nil && !have.Swept:
		return have, nil
	case found && have.DeletedAt == nil && have.Address.UID == a.UID:
		return routes.StoredRecord{}, fmt.Errorf("%s has a route already: %w", key, before)
	}
	now := time.Now().UTC()
	end := routes.StoredRecord{Record: route.Record{Address: &a, DeletedAt: &now}}
	end.Address.UID, end.Address.Owner = before.UID, o.name
	if found {
		end.Address = have.Address
	}
	at, err := o.PutRecord(ctx, end.Record)
	end.Revision = at.Revision
	return end, err
}

// allHaveHeard tells whether every live process has applied the tombstone: none stores anything more for the route.
func (o *Owner) allHaveHeard(ctx context.Context, tombstone routes.StoredRecord) (bool, error) {
	made, err := o.client.BucketMade(ctx, o.client.Names().RoutesBucket())
	if err != nil {
		return false, err
	}
	reports, err := buckets.LatestReports(ctx, o.client)
	if err != nil || !reports.Lost.IsZero() {
		return false, err
	}
	at := route.Place{Key: routes.RecordKey(tombstone.Record), Revision: tombstone.Revision, Bucket: made}
	return !slices.ContainsFunc(reports.Live, func(r route.Report) bool { return !r.Past(at) }), nil
}

// allDelivered tells whether an address's streams hold nothing that anybody still waits for: every cursor has passed what the log
// holds, nothing is parked, and there are no dead letters. What it cannot tell it takes for undelivered.
func (o *Owner) allDelivered(ctx context.Context, a route.Address) (bool, error) {
	key := a.Key
	log, err := trim.ReadLog(ctx, o.client, o.client.LogOf(a))
	switch {
	case errors.Is(err, natsjs.ErrStreamNotFound):
	case err != nil:
		return false, err
	case log.Holder != nil:
		return false, nil
	default:
		targets, err := routes.Records(ctx, o.client, naming.TargetKeysOf(key))
		if err != nil {
			return false, err
		}
		if missing, err := log.Missing(ctx, o.client, key, targets); err != nil || missing != "" {
			return false, err // it comes back, who knows where
		}
	}
	for _, name := range []string{o.client.Names().DirectedStream(key), o.client.Names().DeadLetterStream(key)} {
		stream, err := o.client.JetStream().Stream(ctx, name)
		if jetstream.IgnoreMissing(err) != nil {
			return false, fmt.Errorf("read stream %s: %w", name, err)
		}
		if err == nil && stream.CachedInfo().State.Msgs > 0 {
			return false, nil
		}
	}
	return true, nil
}
