package trim

import (
	"context"
	"errors"
	"fmt"

	natsjs "github.com/nats-io/nats.go/jetstream"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/routes"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/naming"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/route"
)

// errIncomplete means that the server listed fewer consumers than the stream has.
var errIncomplete = errors.New("not every consumer of the stream could be read")

// Reading is the state of a log and its consumers at one moment, as the server says.
type Reading struct {
	stream natsjs.Stream
	State  natsjs.StreamState
	// Consumers has the name of every consumer, ours and foreign ones.
	Consumers map[string]bool
	// Floor is the lowest sequence that a consumer still needs; lastSequence + 1 if none needs any.
	Floor uint64
	// Holder is the consumer at the floor; nil when none needs anything.
	Holder *natsjs.ConsumerInfo
}

// ReadLog asks the server, not a cache, for the state and all consumers of a log, in this order:
// events that are stored after the state was read lie above the floor, wherever the cursors stand.
func ReadLog(ctx context.Context, c *jetstream.Client, name string) (Reading, error) {
	stream, err := c.JetStream().Stream(ctx, name)
	if err != nil {
		return Reading{}, fmt.Errorf("read stream %s: %w", name, err)
	}
	reading := Reading{stream: stream, State: stream.CachedInfo().State, Consumers: map[string]bool{}}
	reading.Floor = reading.State.LastSeq + 1
	consumers, err := jetstream.ConsumersOf(ctx, stream)
	if err != nil {
		return Reading{}, err
	}
	if len(consumers) < reading.State.Consumers {
		return Reading{}, fmt.Errorf("%w: %s has %d and shows %d",
			errIncomplete, name, reading.State.Consumers, len(consumers))
	}
	for name, info := range consumers {
		reading.Consumers[name] = true
		if err := reading.lower(ctx, info); err != nil {
			return Reading{}, err
		}
	}
	return reading, nil
}

// lower lowers the floor to the first message that the consumer still needs.
//
// That NumPending is 0 proves nothing: the server updates it after it has stored a message. The ack
// floor and a search of the log for the next message that the consumer's filter takes do.
func (r *Reading) lower(ctx context.Context, info *natsjs.ConsumerInfo) error {
	from := max(info.AckFloor.Stream+1, r.State.FirstSeq)
	if from >= r.Floor {
		return nil
	}
	filters := jetstream.FilterSubjects(info.Config)
	if len(filters) == 0 {
		filters = []string{jetstream.Everything}
	}
	for _, subject := range filters {
		msg, err := r.stream.GetMsg(ctx, from, natsjs.WithGetMsgSubject(subject))
		if errors.Is(err, natsjs.ErrMsgNotFound) {
			continue
		}
		if err != nil {
			return fmt.Errorf("look for what consumer %s needs: %w", info.Name, err)
		}
		if msg.Sequence < r.Floor {
			r.Floor, r.Holder = msg.Sequence, info
		}
	}
	return nil
}

// Missing names a consumer of the address's targets that does not exist and will be made again
// where it stood; "" if there is none. Until then nothing may be removed from the log.
//
// If the records were deleted too, the stored position of the shared consumer shows that there was
// one: an owner that removes the last target deletes the position first.
func (r *Reading) Missing(ctx context.Context, c *jetstream.Client, address route.Key, targets []routes.StoredRecord) (string, error) {
	for _, t := range targets {
		if !t.Swept && t.Target.Consumer != "" && !r.Consumers[t.Target.Consumer] {
			return "the consumer of " + t.Target.Key.String(), nil
		}
	}
	if r.Consumers[c.Names().SharedConsumer()] {
		return "", nil
	}
	remembered, err := routes.Remembered(ctx, c, naming.SharedKey(address))
	if err != nil || !remembered {
		return "", err
	}
	return "the consumer that its targets share", nil
}
