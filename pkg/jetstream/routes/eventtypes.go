package routes

import (
	"context"
	"fmt"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/eventtype"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream"
)

// EventTypes writes the event types that a process has seen. A record expires unless written again.
type EventTypes struct{ client *jetstream.Client }

// NewEventTypes returns a writer into the bucket of event types.
func NewEventTypes(c *jetstream.Client) EventTypes { return EventTypes{c} }

// PutEventType writes the record, or writes it again so that it does not expire.
func (e EventTypes) PutEventType(ctx context.Context, r eventtype.Record) error {
	name := e.client.Names().EventTypesBucket()
	bucket, err := e.client.JetStream().KeyValue(ctx, name)
	if err != nil {
		return fmt.Errorf("open bucket %s: %w", name, err)
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
