package replay

import (
	"context"
	"fmt"
	"time"

	"github.com/nats-io/nats.go"
	natsjs "github.com/nats-io/nats.go/jetstream"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/dispatch"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/codec"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/route"
)

const (
	// batch is how many events are read, and parked, at a time.
	batch = 64
	// idle is how long NATS keeps a consumer that nobody asks, such as that of a command that was killed.
	idle = time.Minute
)

// reader reads the log of a target in batches. It makes its consumer anew when NATS may have removed it.
type reader struct {
	client *jetstream.Client
	target route.Target
	stream natsjs.Stream
	// next is the sequence of the log that is read next, or else, at first, what was stored since from.
	next uint64
	from time.Time

	consumer natsjs.Consumer
	read     uint64
	asked    time.Time
}

// openLog opens the log of the target. Error: ErrConsuming.
func openLog(ctx context.Context, c *jetstream.Client, t route.Target) (*reader, error) {
	stream, err := c.JetStream().Stream(ctx, c.StreamOf(t))
	if err != nil {
		return nil, fmt.Errorf("read stream %s: %w", c.StreamOf(t), err)
	}
	if stream.CachedInfo().Config.Retention != natsjs.LimitsPolicy {
		return nil, ErrConsuming
	}
	return &reader{client: c, target: t, stream: stream}, nil
}

// config is the consumer from the next sequence on.
func (r *reader) config() natsjs.ConsumerConfig {
	config := natsjs.ConsumerConfig{
		Description: "replay for " + r.target.Key.String(), AckPolicy: natsjs.AckNonePolicy, InactiveThreshold: idle,
		MemoryStorage: true,
	}
	if r.from.IsZero() {
		config.DeliverPolicy, config.OptStartSeq = natsjs.DeliverByStartSequencePolicy, max(r.next, 1)
	} else {
		config.DeliverPolicy, config.OptStartTime = natsjs.DeliverByStartTimePolicy, &r.from
	}
	if len(r.target.Subjects) > 0 { // a part of somebody else's stream
		config.FilterSubjects = append([]string{r.client.Names().LogSubjects(r.target.Key.Address)}, r.target.Subjects...)
	}
	return config
}

// more reads the next events; none at the end of the log.
func (r *reader) more(ctx context.Context) (works []dispatch.Work, err error) {
	if r.consumer == nil || time.Since(r.asked) > idle/2 {
		r.close(ctx)
		if r.consumer, err = r.stream.CreateConsumer(ctx, r.config()); err != nil {
			return nil, fmt.Errorf("read %s: %w", r.client.StreamOf(r.target), err)
		}
		r.read = 0
	}
	r.asked = time.Now()
	messages, err := r.consumer.FetchNoWait(batch)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", r.client.StreamOf(r.target), err)
	}
	for m := range messages.Messages() {
		place, err := m.Metadata()
		if err != nil {
			return nil, err
		}
		if r.read++; place.Sequence.Consumer != r.read {
			return nil, ErrLost
		}
		work, err := r.decode(&nats.Msg{
			Subject: m.Subject(), Header: m.Headers(), Data: m.Data(), Reply: m.Reply(),
			Sub: &nats.Subscription{}, // nats.go reads the place of no message without a subscription
		})
		if err != nil {
			return nil, err
		}
		works, r.next, r.from = append(works, work), place.Sequence.Stream+1, time.Time{}
	}
	return works, messages.Error()
}

func (r *reader) decode(m *nats.Msg) (dispatch.Work, error) {
	if r.target.Key.Address.Kind == route.KindChannel {
		return codec.DecodeChannel(m)
	}
	return codec.DecodeLog(m)
}

// close removes the consumer, also when ctx has ended; else NATS does when it is idle.
func (r *reader) close(ctx context.Context) {
	if r.consumer == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), jetstream.RequestTimeout)
	defer cancel()
	_ = r.stream.DeleteConsumer(ctx, r.consumer.CachedInfo().Name)
	r.consumer = nil
}
