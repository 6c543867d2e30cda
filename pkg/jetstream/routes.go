package jetstream

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/loop"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/naming"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/route"
)

// RetryPause is how long a background loop waits before it tries a failed step again.
const RetryPause = time.Second

// checkEvery is how often a watch of a bucket makes sure that its bucket is still the same, and that it hears of what is written.
const checkEvery = 5 * time.Second

// WatchRoutes keeps the table equal to the routes bucket until ctx ends. synced is called after each full read of the bucket.
// A bucket that is missing or unreachable leaves the table as it is; the watch goes on when it is back.
func (c *Client) WatchRoutes(ctx context.Context, table *route.Table, synced func()) {
	said := ""
	for ctx.Err() == nil {
		err := c.watchRoutesOnce(ctx, table, func() { said = ""; synced() })
		if ctx.Err() != nil {
			return
		}
		if err == nil {
			continue
		}
		if err.Error() != said {
			said = err.Error()
			c.log.Warn("the routes cannot be read; what is known of them stays in force", "error", err)
		}
		loop.Sleep(ctx, RetryPause)
	}
}

// watchRoutesOnce returns when the watch has to start anew.
func (c *Client) watchRoutesOnce(ctx context.Context, table *route.Table, synced func()) error {
	seen := uint64(0)
	return c.watchBucket(ctx, c.names.RoutesBucket(), bucketWatch{
		entry: func(entry jetstream.KeyValueEntry) {
			seen = entry.Revision()
			applyEntry(table, entry)
		},
		synced: func(made time.Time) {
			table.Synced(seen, made)
			synced()
		},
	})
}

func applyEntry(table *route.Table, entry jetstream.KeyValueEntry) {
	if entry.Operation() != jetstream.KeyValuePut {
		table.Forget(entry.Key(), entry.Revision())
		return
	}
	record, err := decodeEntry(entry)
	if err != nil {
		table.Reject(entry.Key(), entry.Revision(), err)
		return
	}
	table.Apply(entry.Key(), entry.Revision(), record)
}

// decodeEntry reads a record and makes sure that it stands at the key that it belongs to. Errors: route.ErrRecord.
func decodeEntry(entry jetstream.KeyValueEntry) (route.Record, error) {
	record, err := route.DecodeRecord(entry.Value())
	if err == nil && entry.Key() != RecordKey(record) {
		err = fmt.Errorf("%w: the record is about %s", route.ErrRecord, RecordKey(record))
	}
	return record, err
}

// RecordKey is where the record stands in the routes bucket.
func RecordKey(r route.Record) string {
	if r.Address != nil {
		return naming.AddressKey(r.Address.Key)
	}
	return naming.TargetKey(r.Target.Key)
}

// StoredRecord is a record with the revision of the bucket at which it was written.
type StoredRecord struct {
	route.Record
	Revision uint64
}

// Records reads the routes bucket from the server, tombstones included, for the keys that match the filter ("" means all).
// Errors: route.ErrRecord when some cannot be read; the others are returned with it.
func (c *Client) Records(ctx context.Context, keyFilter string) ([]StoredRecord, error) {
	if keyFilter == "" {
		keyFilter = jetstream.AllKeys
	}
	var records []StoredRecord
	var unreadable []error
	err := c.ReadBucket(ctx, c.names.RoutesBucket(), keyFilter, func(entry jetstream.KeyValueEntry) {
		record, err := decodeEntry(entry)
		if err != nil {
			unreadable = append(unreadable, fmt.Errorf("key %s: %w", entry.Key(), err))
			return
		}
		records = append(records, StoredRecord{Record: record, Revision: entry.Revision()})
	})
	if err != nil {
		return nil, err
	}
	return records, errors.Join(unreadable...)
}

// Record reads one record; found is false when there is none, or none that can be read: its owner writes it anew.
func (c *Client) Record(ctx context.Context, key string) (r StoredRecord, found bool, err error) {
	bucket, err := c.js.KeyValue(ctx, c.names.RoutesBucket())
	if err != nil {
		return StoredRecord{}, false, fmt.Errorf("open bucket %s: %w", c.names.RoutesBucket(), err)
	}
	entry, err := bucket.Get(ctx, key)
	if errors.Is(err, jetstream.ErrKeyNotFound) {
		return StoredRecord{}, false, nil
	}
	if err != nil {
		return StoredRecord{}, false, fmt.Errorf("read route %s: %w", key, err)
	}
	have, err := decodeEntry(entry)
	if err != nil {
		return StoredRecord{Revision: entry.Revision()}, false, nil //nolint:nilerr // see above
	}
	return StoredRecord{Record: have, Revision: entry.Revision()}, true, nil
}

// RoutesEnd returns the revision of the last change of the routes bucket that is there, and when the bucket was made.
func (c *Client) RoutesEnd(ctx context.Context) (revision uint64, made time.Time, err error) {
	return c.bucketEnd(ctx, c.names.RoutesBucket(), jetstream.AllKeys)
}

// IsLive tells whether the target has a record that is no tombstone, and whether it has any.
func (c *Client) IsLive(ctx context.Context, key route.TargetKey) (live, recorded bool, err error) {
	r, found, err := c.Record(ctx, naming.TargetKey(key))
	return found && r.DeletedAt == nil, found, err
}

// RoutesMade returns when the routes bucket was made: revisions in it mean nothing in one that was made at another time.
func (c *Client) RoutesMade(ctx context.Context) (time.Time, error) {
	bucket, err := c.js.KeyValue(ctx, c.names.RoutesBucket())
	if err != nil {
		return time.Time{}, fmt.Errorf("open bucket %s: %w", c.names.RoutesBucket(), err)
	}
	made, err := BucketCreated(ctx, bucket)
	if err != nil {
		return time.Time{}, fmt.Errorf("read bucket %s: %w", c.names.RoutesBucket(), err)
	}
	return made, nil
}
