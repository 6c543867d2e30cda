package buckets

import (
	"context"
	"fmt"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/eventtype"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/routes"
)

const (
	// EventTypesBytes bounds the bucket: a full one takes no new record until older ones have expired. NATS counts all of it as
	// used, so the bucket is made only where somebody wants it.
	EventTypesBytes = 16 << 20
	// EventTypeBytes bounds one record: names, UIDs, and eventtype.MaxTextBytes, which JSON may write six times as long.
	EventTypeBytes = 8 << 10
)

// EventTypes are those of package routes for the owner of routes that describes them, which makes the bucket.
type EventTypes struct {
	routes.EventTypes
	client *jetstream.Client
}

// NewEventTypes returns those that this client's NATS has.
func NewEventTypes(c *jetstream.Client) EventTypes { return EventTypes{routes.NewEventTypes(c), c} }

// EnsureEventTypes makes the bucket of the event types. Ingress and filter write into it ($KV.<bucket>.>), and into no other bucket of
// the owner's but that of the reports.
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
