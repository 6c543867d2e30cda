package routes

import (
	"context"
	"errors"
	"fmt"
	"time"

	natsjs "github.com/nats-io/nats.go/jetstream"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/eventtype"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream"
)

// EventTypes are the types of events that ingress and filter have seen. Each is a record that expires unless it is written again.
type EventTypes struct{ client *jetstream.Client }

// NewEventTypes returns those that this client's NATS has.
func NewEventTypes(c *jetstream.Client) EventTypes { return EventTypes{c} }

// PutEventType writes the record, or the same one again so that it stays.
func (e EventTypes) PutEventType(ctx context.Context, r eventtype.Record) error {
	bucket, err := e.client.JetStream().KeyValue(ctx, e.client.Names().EventTypesBucket())
	if err != nil {
		return fmt.Errorf("open bucket %s: %w", e.client.Names().EventTypesBucket(), err)
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

// WatchEventTypes calls each with the key of every record, and again when it is written again, until the watch has to start
// anew: nil when NATS was away or ctx has ended, else why.
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
