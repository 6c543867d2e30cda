package owner

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

// repairStreams makes the address's streams again that are gone.
func (o *Owner) repairStreams(ctx context.Context, a route.Address, hasTargets bool) error {
	if err := o.repairLog(ctx, a); err != nil {
		return err
	}
	lacking := o.createIfAbsent(ctx, deadLetterConfig(o.client.Names(), a))
	if !hasTargets {
		return lacking
	}
	if err := o.createIfAbsent(ctx, directedConfig(o.client.Names(), a)); err != nil {
		return errors.Join(lacking, err)
	}
	return errors.Join(lacking, o.ensureDirectedConsumer(ctx, a))
}

// repairLog makes the address's log again if it is gone. What it held is lost, and said to be. A stream that was adopted is for
// others to make again.
func (o *Owner) repairLog(ctx context.Context, a route.Address) error {
	_, err := o.client.JetStream().Stream(ctx, o.client.LogOf(a))
	if !errors.Is(err, natsjs.ErrStreamNotFound) {
		return err
	}
	if a.Log.Stream != "" {
		return fmt.Errorf("%s: %w: %s", a.Key, ErrNoStream, a.Log.Stream)
	}
	err = o.createStream(ctx, logConfig(o.client.Names(), a))
	if err == nil {
		o.client.Logger().Error("the log of an address was gone, with the events in it; it is made again, empty", "address", a.Key.String())
	}
	return err
}

// repairCursors makes consumers of a stream again that are gone, where they stood last, and remembers where the others stand. It changes
// nothing that is there: the records may be older by now than what a Put is writing.
func (o *Owner) repairCursors(ctx context.Context, name string, targets []routes.StoredRecord) error {
	stream, err := o.client.JetStream().Stream(ctx, name)
	if err != nil {
		return jetstream.IgnoreMissing(err) // without its address a log is not made again
	}
	log := stream.CachedInfo()
	consumers, err := jetstream.ConsumersOf(ctx, stream)
	if err != nil {
		return err
	}
	var errs []error
	var sharing []routes.StoredRecord
	for _, r := range targets {
		t := *r.Target
		if t.Consumer == o.client.Names().SharedConsumer() {
			sharing = append(sharing, r)
			continue
		}
		if info, ok := consumers[t.Consumer]; ok {
			at := positionOf(info, log.Created)
			errs = append(errs, o.positions.remember(ctx, naming.TargetKey(t.Key), at))
			continue
		}
		config, err := o.startAgain(ctx, t, log)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		_, err = stream.CreateConsumer(ctx, config)
		if err == nil {
			o.client.Logger().Warn("a consumer was gone and is made again", "target", t.Key.String(), "from", config.OptStartSeq)
		}
		errs = append(errs, ignoreExisting(err))
	}
	errs = append(errs, o.repairShared(ctx, sharing, log, consumers[o.client.Names().SharedConsumer()]))
	return errors.Join(errs...)
}

func ignoreExisting(err error) error {
	if errors.Is(err, natsjs.ErrConsumerExists) {
		return nil
	}
	return err
}
