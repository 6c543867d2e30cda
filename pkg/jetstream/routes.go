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

// retryPause is how long a background loop waits before it tries a failed step again.
const retryPause = time.Second

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
		pause(ctx, retryPause)
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
	if err == nil && entry.Key() != recordKey(record) {
		err = fmt.Errorf("%w: the record is about %s", route.ErrRecord, recordKey(record))
	}
	return record, err
}

func recordKey(r route.Record) string {
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
	err := c.readBucket(ctx, c.names.RoutesBucket(), keyFilter, func(entry jetstream.KeyValueEntry) {
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

// record reads one record; found is false when there is none, or none that can be read: its owner writes it anew.
func (c *Client) record(ctx context.Context, key string) (r StoredRecord, found bool, err error) {
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

// PutRecord writes a record by compare-and-set, unless the same is there already, and returns where it stands.
// Errors: ErrForeignRoute when a live record of another owner is there.
func (c *Client) PutRecord(ctx context.Context, r route.Record) (route.Place, error) {
	// Read before the record is written: if the bucket is made anew in between, nobody ever reports to be past this place.
	made, err := c.RoutesMade(ctx)
	if err != nil {
		return route.Place{}, err
	}
	bucket, err := c.js.KeyValue(ctx, c.names.RoutesBucket())
	if err != nil {
		return route.Place{}, fmt.Errorf("open bucket %s: %w", c.names.RoutesBucket(), err)
	}
	data, err := r.Encode()
	if err != nil {
		return route.Place{}, err
	}
	key := recordKey(r)
	for grown := false; ; {
		revision, retry, err := putOnce(ctx, bucket, kvWrite{key: key, data: data, owner: r.Owner()})
		if isLogFull(err) && !grown { // it has taken many records since it was looked at
			grown = true
			if err := c.MakeBuckets(ctx); err != nil {
				return route.Place{}, err
			}
			continue
		}
		if !retry {
			return route.Place{Key: key, Revision: revision, Bucket: made}, err
		}
	}
}

// RoutesEnd returns the revision of the last change of the routes bucket that is there, and when the bucket was made.
func (c *Client) RoutesEnd(ctx context.Context) (revision uint64, made time.Time, err error) {
	return c.bucketEnd(ctx, c.names.RoutesBucket(), jetstream.AllKeys)
}

// IsLive tells whether the target has a record that is no tombstone, and whether it has any.
func (c *Client) IsLive(ctx context.Context, key route.TargetKey) (live, recorded bool, err error) {
	r, found, err := c.record(ctx, naming.TargetKey(key))
	return found && r.DeletedAt == nil, found, err
}

// RoutesMade returns when the routes bucket was made: revisions in it mean nothing in one that was made at another time.
func (c *Client) RoutesMade(ctx context.Context) (time.Time, error) {
	bucket, err := c.js.KeyValue(ctx, c.names.RoutesBucket())
	if err != nil {
		return time.Time{}, fmt.Errorf("open bucket %s: %w", c.names.RoutesBucket(), err)
	}
	made, err := bucketCreated(ctx, bucket)
	if err != nil {
		return time.Time{}, fmt.Errorf("read bucket %s: %w", c.names.RoutesBucket(), err)
	}
	return made, nil
}

type kvWrite struct {
	key   string
	data  []byte
	owner string
}

// putOnce makes one compare-and-set; retry is true when somebody else wrote in between.
func putOnce(ctx context.Context, bucket jetstream.KeyValue, w kvWrite) (revision uint64, retry bool, err error) {
	entry, err := bucket.Get(ctx, w.key)
	switch {
	case errors.Is(err, jetstream.ErrKeyNotFound):
		revision, err = bucket.Create(ctx, w.key, w.data)
	case err != nil:
		return 0, false, fmt.Errorf("read route %s: %w", w.key, err)
	case string(entry.Value()) == string(w.data):
		return entry.Revision(), false, nil
	default:
		if have, decodeErr := route.DecodeRecord(entry.Value()); decodeErr == nil && have.DeletedAt == nil && have.Owner() != w.owner {
			return 0, false, fmt.Errorf("%s: %w (%s)", w.key, ErrForeignRoute, have.Owner())
		}
		revision, err = bucket.Update(ctx, w.key, w.data, entry.Revision())
	}
	if errors.Is(err, jetstream.ErrKeyExists) {
		return 0, true, nil
	}
	if err != nil {
		return 0, false, fmt.Errorf("write route %s: %w", w.key, err)
	}
	return revision, false, nil
}

// swapRecord writes the record in place of what was read at its revision, 0 if that was nothing, and leaves the same alone. swapped is
// false when somebody has written there since: then what they wrote holds.
func (c *Client) swapRecord(ctx context.Context, r StoredRecord) (revision uint64, swapped bool, err error) {
	bucket, err := c.js.KeyValue(ctx, c.names.RoutesBucket())
	if err != nil {
		return 0, false, fmt.Errorf("open bucket %s: %w", c.names.RoutesBucket(), err)
	}
	data, err := r.Encode()
	if err != nil {
		return 0, false, err
	}
	key := recordKey(r.Record)
	entry, err := bucket.Get(ctx, key)
	switch {
	case errors.Is(err, jetstream.ErrKeyNotFound) && r.Revision == 0:
		revision, err = bucket.Create(ctx, key, data)
	case errors.Is(err, jetstream.ErrKeyNotFound):
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
	if errors.Is(err, jetstream.ErrKeyExists) {
		return 0, false, nil
	}
	if err != nil {
		return 0, false, fmt.Errorf("write route %s: %w", key, err)
	}
	return revision, true, nil
}

// purgeRecord removes a key whose tombstone has done its work.
func (c *Client) purgeRecord(ctx context.Context, r StoredRecord) error {
	bucket, err := c.js.KeyValue(ctx, c.names.RoutesBucket())
	if err != nil {
		return err
	}
	return bucket.Delete(ctx, recordKey(r.Record), jetstream.LastRevision(r.Revision))
}

func pause(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}
