package buckets

import (
	"context"
	"errors"
	"fmt"
	"time"

	natsjs "github.com/nats-io/nats.go/jetstream"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/eventtype"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream"
)

const (
	// EventTypesBytes bounds the bucket: a full one takes no new record until older ones expire.
	// NATS counts all of it as used, so the bucket is made only where somebody wants it.
	EventTypesBytes = 16 << 20
	// EventTypeBytes bounds a record: names, UIDs, eventtype.MaxTextBytes, sixfold that in JSON.
	EventTypeBytes = 8 << 10
)

// EventTypes reads the records that ingress and filter write with routes.EventTypes.
type EventTypes struct{ client *jetstream.Client }

// NewEventTypes returns a reader of the bucket of event types.
func NewEventTypes(c *jetstream.Client) EventTypes { return EventTypes{c} }

// EnsureEventTypes makes the bucket of event types. Of the owner's buckets, ingress and filter
// write into this one and that of the reports only ($KV.<bucket>.>).
func (e EventTypes) EnsureEventTypes(ctx context.Context) error {
	name := e.client.Names().EventTypesBucket()
	_, err := ensureBucket(ctx, e.client, config{
		name: name, description: "types of events that ingress and filter have seen",
		ttl: eventtype.RecordTTL, maxBytes: EventTypesBytes, maxValueSize: EventTypeBytes,
	})
	if err != nil {
		return fmt.Errorf("make bucket %s: %w", name, err)
	}
	return nil
}

// SeenEventType is a record, and when it was last written by the clock of the NATS server.
type SeenEventType struct {
	eventtype.Record
	At time.Time
}

// EventType reads one record; found is false if there is none. Errors: eventtype.ErrRecord.
func (e EventTypes) EventType(ctx context.Context, key string) (seen SeenEventType, found bool, err error) {
	bucket, err := e.client.JetStream().KeyValue(ctx, e.client.Names().EventTypesBucket())
	if errors.Is(err, natsjs.ErrBucketNotFound) {
		return SeenEventType{}, false, nil
	}
	if err != nil {
		return SeenEventType{}, false, fmt.Errorf("open bucket %s: %w", e.client.Names().EventTypesBucket(), err)
	}
	entry, err := bucket.Get(ctx, key)
	if errors.Is(err, natsjs.ErrKeyNotFound) {
		return SeenEventType{}, false, nil
	}
	if err != nil {
		return SeenEventType{}, false, fmt.Errorf("read event type %s: %w", key, err)
	}
	record, err := eventtype.Decode(key, entry.Value())
	return SeenEventType{Record: record, At: entry.Created()}, err == nil, err
}

// WatchEventTypes calls each with the key of every record, and again after each write, until the
// watch has to start again. Its result is that of Client.WatchBucket.
func (e EventTypes) WatchEventTypes(ctx context.Context, each func(key string)) error {
	return e.client.WatchBucket(ctx, e.client.Names().EventTypesBucket(), jetstream.BucketWatch{
		Entry: func(entry natsjs.KeyValueEntry) {
			if entry.Operation() == natsjs.KeyValuePut {
				each(entry.Key())
			}
		},
		Synced: func(time.Time) {},
	})
}
