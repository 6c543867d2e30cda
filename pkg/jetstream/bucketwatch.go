package jetstream

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// BucketMade returns when the bucket was made: revisions in it mean nothing in one that was made at another time, and a watch does not
// notice that its bucket was made anew.
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

// BucketWatch is who is told what a bucket holds: Entry of each key, deleted ones included, and then of each change; Synced when
// the first round is over, with the time at which the bucket was made.
type BucketWatch struct {
	Entry  func(jetstream.KeyValueEntry)
	Synced func(made time.Time)
}

// WatchBucket returns when the watch has to start anew: nil when NATS was away or ctx has ended, else an error, such as that the
// bucket is not there or no longer the one that it watches. The server that it reads from may be cut off from the others: then it does
// not hear of what the leader has, and starts anew on another one.
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
	var seen, before, due uint64 // before and due are what was seen, and where the bucket ended, at the last check
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

// endWatch stops a watch and takes what it still wants to say: nats.go leaves a goroutine behind for as long as nobody does.
func endWatch(watcher jetstream.KeyWatcher) {
	_ = watcher.Stop() // fails only when the watch has ended already
	for range watcher.Updates() {
	}
}
