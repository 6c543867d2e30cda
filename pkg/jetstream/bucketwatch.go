package jetstream

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// BucketCreated tells one incarnation of a bucket from the next: a watch does not notice that its bucket was made anew.
func BucketCreated(ctx context.Context, bucket jetstream.KeyValue) (time.Time, error) {
	ctx, cancel := context.WithTimeout(ctx, RequestTimeout)
	defer cancel()
	status, err := bucket.Status(ctx)
	if err != nil {
		return time.Time{}, err
	}
	kv, ok := status.(*jetstream.KeyValueBucketStatus)
	if !ok {
		return time.Time{}, errors.New("the bucket does not say when it was made")
	}
	return kv.StreamInfo().Created, nil
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
	created, err := BucketCreated(ctx, bucket)
	if err != nil {
		return fmt.Errorf("read bucket %s: %w", name, err)
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
			end, now, err := c.checkBucket(ctx, name)
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

// checkBucket says where the bucket ends, and when it was made.
func (c *Client) checkBucket(ctx context.Context, name string) (end uint64, made time.Time, err error) {
	ctx, cancel := context.WithTimeout(ctx, RequestTimeout)
	defer cancel()
	return c.BucketEnd(ctx, name, jetstream.AllKeys)
}

// endWatch stops a watch and takes what it still wants to say: nats.go leaves a goroutine behind for as long as nobody does.
func endWatch(watcher jetstream.KeyWatcher) {
	_ = watcher.Stop() // fails only when the watch has ended already
	for range watcher.Updates() {
	}
}
