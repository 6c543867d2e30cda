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

// errIncomplete means that the server did not show every consumer of a stream; what they still need is unknown.
var errIncomplete = errors.New("not every consumer of the stream could be read")

// Reading is what the server says of a log at one moment.
type Reading struct {
	stream natsjs.Stream
	State  natsjs.StreamState
	// Consumers holds the name of every consumer, our own and foreign ones.
	Consumers map[string]bool
	// Floor is the lowest sequence that some consumer still needs; lastSequence + 1 when none needs anything.
	Floor uint64
	// Holder is the consumer at the floor; nil when none needs anything.
	Holder *natsjs.ConsumerInfo
}

// ReadLog asks the server for the state and all cursors of the stream that is a log, and never a cache. The order matters: what is stored after the
// state was read lies above the floor, whatever the cursors say.
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

// lower brings the floor down to what the consumer still needs.
//
// The consumer's own count of pending messages is no proof that it needs nothing: the server updates it after the message
// is stored. Its ack floor is, together with a search of the log for the next message that its filter takes.
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

// Missing names the consumer of the address's targets that is not there and comes back where it stood; "" when there is none. Until then
// nothing may go of what the log holds.
//
// The records tell of it, and, should somebody have deleted these too, the position that is remembered of the shared consumer: who
// removes the last target forgets that first.
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
