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

// readAgain is how often ReadBucket asks the leader again while its watch is behind.
const readAgain = 100 * time.Millisecond

// BucketStream is the stream that a bucket is made of.
func BucketStream(name string) string { return "KV_" + name }

// BucketRead says what ReadBucket reads.
type BucketRead struct {
	Filter string
	// Past is a revision that ReadBucket reads up to, even if the bucket seems to end before.
	Past uint64
	Each func(jetstream.KeyValueEntry)
}

// BucketEnd asks the bucket's leader for the revision of the newest entry whose key matches the
// filter (0 if there is none), and for the time when the bucket was made.
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

// ReadBucket calls Each for every value whose key matches the filter, in the order of writing. The
// values are those at the time of the call, or newer ones.
//
// The server that a watch reads from may be behind the leader. So ReadBucket asks the leader for
// the last revision, and reads the watch up to it (I11). It repeats the question while that
// revision does not come: the entry may have been removed.
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
