package routes

import (
	"context"
	"errors"
	"fmt"
	"time"

	natsjs "github.com/nats-io/nats.go/jetstream"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/loop"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/naming"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/route"
)

// Watch keeps the table equal to the routes bucket until ctx ends, and calls synced after each full
// read of the bucket. While the bucket is missing or unreachable the table stays as it is.
func Watch(ctx context.Context, c *jetstream.Client, table *route.Table, synced func()) {
	var failure loop.Failure
	for ctx.Err() == nil {
		err := watchOnce(ctx, c, table, func() { failure.IsNew(nil); synced() })
		if ctx.Err() != nil {
			return
		}
		if err == nil {
			continue
		}
		if failure.IsNew(err) {
			c.Logger().Warn("the routes cannot be read; what is known of them stays in force", "error", err)
		}
		loop.Sleep(ctx, jetstream.RetryPause)
	}
}

// watchOnce returns when the watch has to start again.
func watchOnce(ctx context.Context, c *jetstream.Client, table *route.Table, synced func()) error {
	seen := uint64(0)
	return c.WatchBucket(ctx, c.Names().RoutesBucket(), jetstream.BucketWatch{
		Entry: func(entry natsjs.KeyValueEntry) {
			seen = entry.Revision()
			applyEntry(table, entry)
		},
		Synced: func(made time.Time) {
			table.Synced(seen, made)
			synced()
		},
	})
}

func applyEntry(table *route.Table, entry natsjs.KeyValueEntry) {
	if entry.Operation() != natsjs.KeyValuePut {
		table.Forget(entry.Key(), entry.Revision())
		return
	}
	record, err := DecodeEntry(entry)
	if err != nil {
		table.Reject(entry.Key(), entry.Revision(), err)
		return
	}
	table.Apply(entry.Key(), entry.Revision(), record)
}

// DecodeEntry decodes a record and checks that its key is the entry's. Errors: route.ErrRecord.
func DecodeEntry(entry natsjs.KeyValueEntry) (route.Record, error) {
	record, err := route.DecodeRecord(entry.Value())
	if err == nil && entry.Key() != RecordKey(record) {
		err = fmt.Errorf("%w: the record is about %s", route.ErrRecord, RecordKey(record))
	}
	return record, err
}

// RecordKey returns the record's key in the routes bucket.
func RecordKey(r route.Record) string {
	if r.Address != nil {
		return naming.AddressKey(r.Address.Key)
	}
	return naming.TargetKey(r.Target.Key)
}

// StoredRecord is a record with the revision at which it was written.
type StoredRecord struct {
	route.Record
	Revision uint64
}

// Records reads the records whose keys match the filter ("" means all), tombstones included, from
// the server. Errors: route.ErrRecord if some cannot be decoded; the others are returned with it.
func Records(ctx context.Context, c *jetstream.Client, keyFilter string) ([]StoredRecord, error) {
	if keyFilter == "" {
		keyFilter = natsjs.AllKeys
	}
	var records []StoredRecord
	var unreadable []error
	err := c.ReadBucket(ctx, c.Names().RoutesBucket(), jetstream.BucketRead{Filter: keyFilter, Each: func(entry natsjs.KeyValueEntry) {
		record, err := DecodeEntry(entry)
		if err != nil {
			unreadable = append(unreadable, fmt.Errorf("key %s: %w", entry.Key(), err))
			return
		}
		records = append(records, StoredRecord{Record: record, Revision: entry.Revision()})
	}})
	if err != nil {
		return nil, err
	}
	return records, errors.Join(unreadable...)
}

// End returns the revision of the newest entry of the routes bucket, and when the bucket was made.
func End(ctx context.Context, c *jetstream.Client) (revision uint64, made time.Time, err error) {
	return c.BucketEnd(ctx, c.Names().RoutesBucket(), natsjs.AllKeys)
}
