package describe

import (
	"context"
	"errors"
	"fmt"
	"slices"

	natsjs "github.com/nats-io/nats.go/jetstream"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/status"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/naming"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/route"
)

// What a stream is used for.
const (
	UseLog         = "log"
	UseDirected    = "directed"
	UseDeadLetters = "dead letters"
)

// Stream is one of the streams of an address, as the server has it.
type Stream struct {
	Name string
	// Use is one of those above.
	Use             string
	Messages, Bytes uint64
	// Limit is the most that the stream may hold, in bytes; 0 where nothing limits that.
	Limit int64 `json:",omitempty"`
	// Consumers are those by which what is described is read.
	Consumers []Consumer `json:",omitempty"`
}

// Consumer is a cursor in a stream.
type Consumer struct {
	Name string
	// Pending are messages that nobody has read yet, Unacknowledged those that a filter has.
	Pending, Unacknowledged uint64
	// AckFloor is the sequence up to which all is acknowledged.
	AckFloor uint64
}

// streams are the streams that what is described may have, and the names of their consumers.
func (d Description) streams(names naming.Names, addresses []status.AddressStatus) []Stream {
	targets := d.Targets
	var key route.Key
	if d.Target != nil {
		key, targets = d.Target.Key.Address, []status.TargetStatus{*d.Target}
	} else {
		key = d.Address.Key
	}
	log, directed := Stream{Name: names.Log(key), Use: UseLog}, Stream{Name: names.DirectedStream(key), Use: UseDirected}
	for _, a := range addresses {
		if a.Key == key {
			directed.Limit = a.Log.DirectedBytes()
			if a.Log.Stream != "" {
				log.Name = a.Log.Stream
			}
		}
	}
	for _, t := range targets {
		if t.Consumer != "" && !slices.Contains(log.Consumers, Consumer{Name: t.Consumer}) {
			log.Consumers = append(log.Consumers, Consumer{Name: t.Consumer})
		}
	}
	directed.Consumers = []Consumer{{Name: names.SharedConsumer()}}
	return []Stream{log, directed, {Name: names.DeadLetterStream(key), Use: UseDeadLetters}}
}

// readStreams returns those of the streams and consumers that are there, as they are. The directed
// stream is made with the first target.
func readStreams(ctx context.Context, c *jetstream.Client, wanted []Stream) ([]Stream, error) {
	found := []Stream{}
	for _, s := range wanted {
		stream, err := c.JetStream().Stream(ctx, s.Name)
		if errors.Is(err, natsjs.ErrStreamNotFound) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("read stream %s: %w", s.Name, err)
		}
		info := stream.CachedInfo()
		s.Messages, s.Bytes = info.State.Msgs, info.State.Bytes
		s.Limit = max(s.Limit, info.Config.MaxBytes, 0)
		if s.Consumers, err = readConsumers(ctx, stream, s.Consumers); err != nil {
			return nil, err
		}
		found = append(found, s)
	}
	return found, nil
}

func readConsumers(ctx context.Context, stream natsjs.Stream, wanted []Consumer) (found []Consumer, err error) {
	if len(wanted) == 0 {
		return nil, nil
	}
	there, err := jetstream.ConsumersOf(ctx, stream)
	if err != nil {
		return nil, err
	}
	for _, w := range wanted {
		if info := there[w.Name]; info != nil {
			found = append(found, Consumer{
				Name: w.Name, Pending: info.NumPending, Unacknowledged: uint64(info.NumAckPending), //nolint:gosec // never negative
				AckFloor: info.AckFloor.Stream,
			})
		}
	}
	return found, nil
}
