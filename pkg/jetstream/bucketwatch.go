package jetstream

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// BucketMade returns when the bucket was made. A revision means nothing in a bucket that was made
// at another time. A watch does not notice that its bucket was made again.
func (c *Client) BucketMade(ctx context.Context, name string) (time.Time, error) {
	stream, err := c.js.Stream(ctx, BucketStream(name))
	if errors.Is(err, jetstream.ErrStreamNotFound) {
		err = jetstream.ErrBucketNotFound
	}
	if err != nil {
		return time.Time{}, fmt.Errorf("open bucket %s: %w", name, err)
	}
	return stream.CachedInfo().Created, nil
}

// BucketWatch has the callbacks of WatchBucket. Entry gets the entry of each key, deleted keys
// included, and then each change; Synced, after the first round, the time when the bucket was made.
type BucketWatch struct {
	Entry  func(jetstream.KeyValueEntry)
	Synced func(made time.Time)
}

// WatchBucket calls w until the watch has to start again. It returns nil after a reconnect and at
// the end of ctx. Errors: the bucket is missing or was made again, or the watch misses what is
// written, because its server is cut off from the leader; a new watch reads from another server.
func (c *Client) WatchBucket(ctx context.Context, name string, w BucketWatch) error {
	bucket, err := c.js.KeyValue(ctx, name)
	if err != nil {
		return fmt.Errorf("open bucket %s: %w", name, err)
	}
	created, err := c.BucketMade(ctx, name)
	if err != nil {
		return err
	}
	reconnected := c.conn.StatusChanged(nats.CONNECTED)
	defer c.conn.RemoveStatusListener(reconnected)
	watcher, err := bucket.WatchAll(ctx)
	if err != nil {
		return fmt.Errorf("watch bucket %s: %w", name, err)
	}
	defer endWatch(watcher)
	check := time.NewTicker(c.timing.CheckEvery)
	defer check.Stop()
	var seen, before, due uint64 // before and due: seen, and the bucket's end, at the last check
	for {
		select {
		case entry, open := <-watcher.Updates():
			switch {
			case !open:
				return fmt.Errorf("the watch of bucket %s ended", name)
			case entry == nil:
				w.Synced(created)
			default:
				seen = entry.Revision()
				w.Entry(entry)
			}
		case <-check.C:
			end, now, err := c.BucketEnd(ctx, name, jetstream.AllKeys)
			switch {
			case errors.Is(err, jetstream.ErrStreamNotFound) || (err == nil && !now.Equal(created)):
				return fmt.Errorf("bucket %s was removed", name)
			case err == nil && due > seen && seen == before:
				return fmt.Errorf("the watch of bucket %s does not hear of what is written", name)
			case err == nil:
				before, due = seen, end
			}
		case <-reconnected:
			return nil
		case <-ctx.Done():
			return nil
		}
	}
}

// endWatch stops a watch and reads its last updates: unread they keep a goroutine of nats.go alive.
func endWatch(watcher jetstream.KeyWatcher) {
	_ = watcher.Stop() // fails only when the watch has ended already
	for range watcher.Updates() {
	}
}
