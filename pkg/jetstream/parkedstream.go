package jetstream

import (
	"context"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/naming"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/route"
)

// ensureDirected makes the directed stream of an address that has a target, and its one consumer. An address that is not there, or not any
// more, gets none: its targets wait for it.
func (o *Owner) ensureDirected(ctx context.Context, key route.Key) error {
	have, found, err := o.client.record(ctx, naming.AddressKey(key))
	if err != nil || !found || have.DeletedAt != nil {
		return err
	}
	if _, err := o.client.ensureStream(ctx, directedConfig(o.client.names, *have.Address)); err != nil {
		return err
	}
	return o.ensureDirectedConsumer(ctx, *have.Address)
}

func (o *Owner) ensureDirectedConsumer(ctx context.Context, a route.Address) error {
	_, err := o.client.ensureConsumer(ctx, o.client.names.DirectedStream(a.Key), o.client.directedConsumerConfig(a))
	return err
}

// purgeDirected removes what was parked for a target that is gone: nobody would ever take it.
func (o *Owner) purgeDirected(ctx context.Context, key route.TargetKey) error {
	names := o.client.names
	stream, err := o.client.removals.Stream(ctx, names.DirectedStream(key.Address))
	if err != nil {
		return ignoreMissing(err)
	}
	for _, subject := range []string{names.DirectedSubject(key), names.ParkedSubjectsOf(key)} {
		if err := stream.Purge(ctx, jetstream.WithPurgeSubject(subject)); err != nil {
			return ignoreMissing(err)
		}
	}
	return nil
}
