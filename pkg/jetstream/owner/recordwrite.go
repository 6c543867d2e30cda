package owner

import (
	"context"
	"errors"
	"fmt"

	natsjs "github.com/nats-io/nats.go/jetstream"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/buckets"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/routes"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/route"
)

// PutRecord writes a record by compare-and-set, unless the same is there already, and returns where it stands.
// Errors: ErrForeignRoute when a live record of another owner is there.
func (o *Owner) PutRecord(ctx context.Context, r route.Record) (route.Place, error) {
	// Read before the record is written: if the bucket is made anew in between, nobody ever reports to be past this place.
	made, err := o.client.BucketMade(ctx, o.client.Names().RoutesBucket())
	if err != nil {
		return route.Place{}, err
	}
	key := routes.RecordKey(r)
	for {
		have, found, err := Record(ctx, o.client, key)
		if err != nil {
			return route.Place{}, err
		}
		if found && have.DeletedAt == nil && have.Owner() != r.Owner() {
			return route.Place{}, fmt.Errorf("%s: %w (%s)", key, ErrForeignRoute, have.Owner())
		}
		revision, swapped, err := o.swapRecord(ctx, routes.StoredRecord{Record: r, Revision: have.Revision})
		if err != nil || swapped {
			return route.Place{Key: key, Revision: revision, Bucket: made}, err
		}
	}
}

// swapRecord writes the record in place of what was read at its revision, 0 if that was nothing, and leaves the same alone. swapped is
// false when somebody has written there since: then what they wrote holds.
func (o *Owner) swapRecord(ctx context.Context, r routes.StoredRecord) (revision uint64, swapped bool, err error) {
	data, err := r.Encode()
	if err != nil {
		return 0, false, err
	}
	err = buckets.MakingRoom(ctx, o.client, func() error {
		revision, swapped, err = o.swapOnce(ctx, data, r)
		return err
	})
	return revision, swapped, err
}

func (o *Owner) swapOnce(ctx context.Context, data []byte, r routes.StoredRecord) (revision uint64, swapped bool, err error) {
	bucket, err := o.client.JetStream().KeyValue(ctx, o.client.Names().RoutesBucket())
	if err != nil {
		return 0, false, fmt.Errorf("open bucket %s: %w", o.client.Names().RoutesBucket(), err)
	}
	key := routes.RecordKey(r.Record)
	entry, err := bucket.Get(ctx, key)
	switch {
	case errors.Is(err, natsjs.ErrKeyNotFound) && r.Revision == 0:
		revision, err = bucket.Create(ctx, key, data)
	case errors.Is(err, natsjs.ErrKeyNotFound):
		return 0, false, nil
	case err != nil:
		return 0, false, fmt.Errorf("read route %s: %w", key, err)
	case entry.Revision() != r.Revision:
		return 0, false, nil
	case string(entry.Value()) == string(data):
		return r.Revision, true, nil
	default:
		revision, err = bucket.Update(ctx, key, data, r.Revision)
	}
	if errors.Is(err, natsjs.ErrKeyExists) {
		return 0, false, nil
	}
	if err != nil {
		return 0, false, fmt.Errorf("write route %s: %w", key, err)
	}
	return revision, true, nil
}

// purgeRecord removes a key whose tombstone has done its work. Who watches hears of it; the mark of it goes away by itself.
func (o *Owner) purgeRecord(ctx context.Context, r routes.StoredRecord) error {
	bucket, err := o.client.JetStream().KeyValue(ctx, o.client.Names().RoutesBucket())
	if err != nil {
		return fmt.Errorf("open bucket %s: %w", o.client.Names().RoutesBucket(), err)
	}
	err = buckets.MakingRoom(ctx, o.client, func() error {
		return bucket.Purge(ctx, routes.RecordKey(r.Record), natsjs.LastRevision(r.Revision), natsjs.PurgeTTL(o.client.Timing().RouteMarkerTTL))
	})
	if err != nil {
		return fmt.Errorf("purge route %s: %w", routes.RecordKey(r.Record), err)
	}
	return nil
}
