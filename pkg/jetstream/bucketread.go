package jetstream

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// readAgain is how often a reader that waits for a server to catch up asks whether there is still something to wait for.
const readAgain = 100 * time.Millisecond

// BucketStream is the stream that a bucket is made of.
func BucketStream(name string) string { return "KV_" + name }

// BucketRead says what is read of a bucket.
type BucketRead struct {
	Filter string
	// Past is a revision that must have been seen, whatever the leader says.
	Past uint64
	Each func(jetstream.KeyValueEntry)
}

// BucketEnd asks the leader for the revision of the last change that is there of the keys that match the filter, 0 when none is, and
// when the bucket was made.
func (c *Client) BucketEnd(ctx context.Context, name, keyFilter string) (revision uint64, made time.Time, err error) {
	stream, err := c.js.Stream(ctx, BucketStream(name))
	if err != nil {
		return 0, made, fmt.Errorf("read bucket %s: %w", name, err)
	}
	made = stream.CachedInfo().Created
	last, err := stream.GetLastMsgForSubject(ctx, "$KV."+name+"."+keyFilter)
	if errors.Is(err, jetstream.ErrMsgNotFound) {
		return 0, made, nil
	}
	if err != nil {
		return 0, made, fmt.Errorf("read bucket %s: %w", name, err)
	}
	return last.Sequence, made, nil
}

// ReadBucket calls Each for every value under the keys that match the filter, in the order in which they were written: what the
// bucket held when it was called, or later.
//
// The server that a watch reads from may be behind. So the leader says first what the last change is, and the watch is read until
// that has come: no decision rests on what a server has not heard of yet. It is asked again while that does not come: it may have been
// removed.
func (c *Client) ReadBucket(ctx context.Context, name string, r BucketRead) error {
	bucket, err := c.js.KeyValue(ctx, name)
	if err != nil {
		return fmt.Errorf("open bucket %s: %w", name, err)
	}
	end, _, err := c.BucketEnd(ctx, name, r.Filter)
	if err != nil {
		return err
	}
	watcher, err := bucket.Watch(ctx, r.Filter)
	if err != nil {
		return fmt.Errorf("read bucket %s: %w", name, err)
	}
	defer endWatch(watcher)
	again := time.NewTicker(readAgain)
	defer again.Stop()
	latest := map[string]jetstream.KeyValueEntry{}
	seen, whole := uint64(0), false
	for !whole || seen < max(end, r.Past) {
		select {
		case entry, open := <-watcher.Updates():
			switch {
			case !open:
				return fmt.Errorf("reading bucket %s was cut off", name)
			case entry == nil:
				whole = true
			default:
				latest[entry.Key()], seen = entry, entry.Revision()
			}
		case <-again.C:
			if end, _, err = c.BucketEnd(ctx, name, r.Filter); err != nil {
				return err
			}
		case <-ctx.Done():
			return fmt.Errorf("read bucket %s: %w", name, context.Cause(ctx))
		}
	}
	for _, entry := range slices.SortedFunc(maps.Values(latest), byRevision) {
		if entry.Operation() == jetstream.KeyValuePut {
			r.Each(entry)
		}
	}
	return nil
}

func byRevision(a, b jetstream.KeyValueEntry) int { return cmp.Compare(a.Revision(), b.Revision()) }
