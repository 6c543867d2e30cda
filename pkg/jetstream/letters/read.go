package letters

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"time"

	natsjs "github.com/nats-io/nats.go/jetstream"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/routes"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/route"
)

const (
	// batch is how many letters are read at a time.
	batch = 64
	// idle is how long NATS keeps a consumer that nobody asks, such as that of a command that was
	// killed.
	idle = 5 * time.Minute
)

// letterStream is the dead-letter stream of one address.
type letterStream struct {
	address route.Address
	stream  natsjs.Stream
	// targets are the live targets of the address, by the subject of their letters.
	targets map[string]route.Target
}

// streamsOf returns those of the selected addresses. Error: ErrNoAddress for one that is named and not there.
func streamsOf(ctx context.Context, c *jetstream.Client, s Selection) ([]*letterStream, error) {
	records, err := routes.Records(ctx, c, "")
	if err != nil && !errors.Is(err, route.ErrRecord) && !errors.Is(err, natsjs.ErrBucketNotFound) { // before the first apply there is nothing
		return nil, err
	}
	var all []*letterStream
	of := map[route.Key]*letterStream{}
	for _, r := range records {
		if r.DeletedAt != nil || r.Address == nil || !s.hasAddress(r.Address.Key) {
			continue
		}
		d, err := open(ctx, c, *r.Address)
		if err != nil {
			return nil, err
		}
		of[r.Address.Key] = d
		all = append(all, d)
	}
	for _, r := range records {
		if r.DeletedAt != nil || r.Target == nil {
			continue
		}
		if d := of[r.Target.Key.Address]; d != nil {
			d.targets[c.Names().DeadLetterSubject(r.Target.Key)] = *r.Target
		}
	}
	if s.Name != "" && len(all) == 0 {
		return nil, fmt.Errorf("%w: %s", ErrNoAddress, route.Key{Kind: s.Kind, Namespace: s.Namespace, Name: s.Name})
	}
	return all, nil
}

// open reads the state of the dead-letter stream. One that is gone, until the owner makes the stream
// again, holds nothing.
func open(ctx context.Context, c *jetstream.Client, a route.Address) (*letterStream, error) {
	d := &letterStream{address: a, targets: map[string]route.Target{}}
	var err error
	d.stream, err = c.JetStream().Stream(ctx, c.Names().DeadLetterStream(a.Key))
	if err != nil && !errors.Is(err, natsjs.ErrStreamNotFound) {
		return nil, fmt.Errorf("read the dead letters of %s: %w", a.Key, err)
	}
	return d, nil
}

// All yields the selected letters, those of one address after the other, the oldest first. Letters
// that come meanwhile may be missed. An error ends it.
func All(ctx context.Context, c *jetstream.Client, s Selection) iter.Seq2[Letter, error] {
	return func(yield func(Letter, error) bool) {
		from, err := streamsOf(ctx, c, s)
		if err != nil {
			yield(Letter{}, err)
			return
		}
		allOf(ctx, from, s)(yield)
	}
}

// List returns the selected letters, and whether there are more than the limit.
func List(ctx context.Context, c *jetstream.Client, s Selection) (found []Letter, more bool, err error) {
	limit := s.Limit
	if limit > 0 {
		s.Limit++
	}
	for l, err := range All(ctx, c, s) {
		if err != nil {
			return nil, false, err
		}
		if limit > 0 && len(found) == limit {
			return found, true, nil
		}
		found = append(found, l)
	}
	return found, false, nil
}

// allOf yields the selected letters of these addresses.
func allOf(ctx context.Context, from []*letterStream, s Selection) iter.Seq2[Letter, error] {
	return func(yield func(Letter, error) bool) {
		count := 0
		for _, d := range from {
			more := true
			err := d.read(ctx, s, func(l Letter) bool {
				count++
				more = yield(l, nil) && (s.Limit == 0 || count < s.Limit)
				return more
			})
			if err != nil {
				yield(Letter{}, err)
				return
			}
			if !more {
				return
			}
		}
	}
}

// read calls each for the selected letters until that returns false.
func (d *letterStream) read(ctx context.Context, s Selection, each func(Letter) bool) error {
	if d.stream == nil {
		return nil
	}
	consumer, err := d.stream.CreateConsumer(ctx, readerConfig(s))
	if err != nil {
		return fmt.Errorf("read the dead letters of %s: %w", d.address.Key, err)
	}
	defer forget(ctx, d.stream, consumer)
	last := d.stream.CachedInfo().State.LastSeq
	for delivered := uint64(0); ; {
		messages, err := consumer.FetchNoWait(batch)
		if err != nil {
			return fmt.Errorf("read the dead letters of %s: %w", d.address.Key, err)
		}
		before := delivered
		for m := range messages.Messages() {
			place, err := m.Metadata()
			if err != nil {
				return err
			}
			if delivered++; place.Sequence.Consumer != delivered {
				return ErrLost
			}
			if place.Sequence.Stream > last {
				return nil
			}
			if l := d.letterOf(m, place); s.has(l) && !each(l) {
				return nil
			}
		}
		if err := messages.Error(); err != nil || delivered == before {
			return err
		}
	}
}

func readerConfig(s Selection) natsjs.ConsumerConfig {
	config := natsjs.ConsumerConfig{Description: "reads dead letters", AckPolicy: natsjs.AckNonePolicy, InactiveThreshold: idle}
	if !s.Since.IsZero() {
		config.DeliverPolicy, config.OptStartTime = natsjs.DeliverByStartTimePolicy, &s.Since
	}
	return config
}

// forget removes the consumer, also when ctx has ended; else NATS does when it is idle.
func forget(ctx context.Context, stream natsjs.Stream, consumer natsjs.Consumer) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), jetstream.RequestTimeout)
	defer cancel()
	_ = stream.DeleteConsumer(ctx, consumer.CachedInfo().Name)
}
