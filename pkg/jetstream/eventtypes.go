package jetstream

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/eventtype"
)

const (
	// EventTypesBytes bounds the bucket: a full one takes no new record until older ones have expired. NATS counts all of it as
	// used, so the bucket is made only where somebody wants it.
	EventTypesBytes = 16 << 20
	// EventTypeBytes bounds one record: names, UIDs, and eventtype.MaxTextBytes, which JSON may write six times as long.
	EventTypeBytes = 8 << 10
)

// EnsureEventTypes makes the bucket of the event types. Only an owner of routes that describes event types calls it. Ingress and
// filter write into it ($KV.<bucket>.>), and into no other bucket of the owner's but that of the reports.
func (c *Client) EnsureEventTypes(ctx context.Context) error {
	name := c.names.EventTypesBucket()
	_, err := c.ensureBucket(ctx, bucketConfig{
		name: name, description: "types of events that ingress and filter have seen",
		ttl: eventtype.RecordTTL, maxBytes: EventTypesBytes, maxValueSize: EventTypeBytes,
	})
	if err != nil {
		return fmt.Errorf("make bucket %s: %w", name, err)
	}
	return nil
}

// PutEventType writes the record, or the same one again so that it stays.
func (c *Client) PutEventType(ctx context.Context, r eventtype.Record) error {
	bucket, err := c.js.KeyValue(ctx, c.names.EventTypesBucket())
	if err != nil {
		return fmt.Errorf("open bucket %s: %w", c.names.EventTypesBucket(), err)
	}
	data, err := r.Encode()
	if err != nil {
		return err
	}
	if _, err = bucket.Put(ctx, r.Key(), data); err != nil {
		return fmt.Errorf("write event type %s: %w", r.Key(), err)
	}
	return nil
}

// SeenEventType is a record with the time, by the NATS server's clock, when it was last written.
type SeenEventType struct {
	eventtype.Record
	At time.Time
}

// EventType reads one record; found is false when there is none any more. Errors: eventtype.ErrRecord.
func (c *Client) EventType(ctx context.Context, key string) (seen SeenEventType, found bool, err error) {
	bucket, err := c.js.KeyValue(ctx, c.names.EventTypesBucket())
	if errors.Is(err, jetstream.ErrBucketNotFound) {
		return SeenEventType{}, false, nil
	}
	if err != nil {
		return SeenEventType{}, false, fmt.Errorf("open bucket %s: %w", c.names.EventTypesBucket(), err)
	}
	entry, err := bucket.Get(ctx, key)
	if errors.Is(err, jetstream.ErrKeyNotFound) {
		return SeenEventType{}, false, nil
	}
	if err != nil {
		return SeenEventType{}, false, fmt.Errorf("read event type %s: %w", key, err)
	}
	record, err := eventtype.Decode(key, entry.Value())
	return SeenEventType{Record: record, At: entry.Created()}, err == nil, err
}

// WatchEventTypes calls each with the key of every record, and again when it is written again, until the watch has to start
// anew: nil when NATS was away or ctx has ended, else why.
func (c *Client) WatchEventTypes(ctx context.Context, each func(key string)) error {
	return c.watchBucket(ctx, c.names.EventTypesBucket(), bucketWatch{
		entry: func(entry jetstream.KeyValueEntry) {
			if entry.Operation() == jetstream.KeyValuePut {
				each(entry.Key())
			}
		},
		synced: func(time.Time) {},
	})
}
