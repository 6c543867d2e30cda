package owner

import (
	"context"
	"errors"
	"fmt"

	natsjs "github.com/nats-io/nats.go/jetstream"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/naming"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/route"
)

// ensureDirected makes the directed stream of an address that has a target, and its one consumer. An address that is not there, or not any
// more, gets none: its targets wait for it.
func (o *Owner) ensureDirected(ctx context.Context, key route.Key) error {
	have, found, err := Record(ctx, o.client, naming.AddressKey(key))
	if err != nil || !found || have.DeletedAt != nil {
		return err
	}
	if _, err := o.ensureStream(ctx, directedConfig(o.client.Names(), *have.Address)); err != nil {
		return err
	}
	return o.ensureDirectedConsumer(ctx, *have.Address)
}

// ensureDirectedConsumer makes the consumer of the address's directed stream. Earlier versions had one for each target there, beside which
// NATS takes none of the same messages: those go. What they have not acknowledged stays in the stream.
func (o *Owner) ensureDirectedConsumer(ctx context.Context, a route.Address) error {
	stream, want := o.client.Names().DirectedStream(a.Key), o.directedConsumerConfig(a)
	_, err := o.ensureConsumer(ctx, stream, want)
	var api *natsjs.APIError
	if !errors.As(err, &api) || api.ErrorCode != jetstream.ErrCodeNotUnique {
		return err
	}
	if err := o.removeFormer(ctx, stream, a.Key); err != nil {
		return err
	}
	_, err = o.ensureConsumer(ctx, stream, want)
	return err
}

// removeFormer removes the consumers of single targets of the address, of any owner, from its directed stream.
func (o *Owner) removeFormer(ctx context.Context, name string, key route.Key) error {
	stream, err := o.client.JetStream().Stream(ctx, name)
	if err != nil {
		return fmt.Errorf("read stream %s: %w", name, err)
	}
	consumers, err := jetstream.ConsumersOf(ctx, stream)
	if err != nil {
		return err
	}
	for consumer, info := range consumers {
		meta := info.Config.Metadata
		if meta[jetstream.MetaOwner] == "" || meta[jetstream.MetaKind] != key.TargetKind() || consumer != o.client.Names().Consumer(targetIn(meta, key)) {
			continue
		}
		if err := jetstream.IgnoreMissing(o.client.Removals().DeleteConsumer(ctx, name, consumer)); err != nil {
			return fmt.Errorf("delete consumer %s of stream %s: %w", consumer, name, err)
		}
	}
	return nil
}

// purgeDirected removes what was parked for a target that is gone: nobody would ever take it.
func (o *Owner) purgeDirected(ctx context.Context, key route.TargetKey) error {
	names := o.client.Names()
	stream, err := o.client.Removals().Stream(ctx, names.DirectedStream(key.Address))
	if err != nil {
		return jetstream.IgnoreMissing(err)
	}
	for _, subject := range []string{names.DirectedSubject(key), names.ParkedSubjectsOf(key)} {
		if err := stream.Purge(ctx, natsjs.WithPurgeSubject(subject)); err != nil {
			return jetstream.IgnoreMissing(err)
		}
	}
	return nil
}
