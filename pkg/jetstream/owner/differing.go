package owner

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"

	natsjs "github.com/nats-io/nats.go/jetstream"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/routes"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/route"
)

// Differing returns those of these live records whose streams or consumers are not what they say, or whose log was made again since
// this owner has put them: somebody changed them by hand, and may lose events so. To put the address or target again mends it. It changes nothing itself: the records may be older by now than what
// a Put is writing. What is gone is for Sweep. Of targets that share a consumer, it returns one.
func (o *Owner) Differing(ctx context.Context, live []routes.StoredRecord) ([]routes.StoredRecord, error) {
	var differing, targets []routes.StoredRecord
	var errs []error
	for _, r := range live {
		if r.Target != nil && r.Target.Consumer != "" {
			targets = append(targets, r)
		}
		if r.Address == nil {
			continue
		}
		differs, err := o.streamsDiffer(ctx, *r.Address)
		if errs = append(errs, err); differs {
			differing = append(differing, r)
		}
	}
	for stream, cursors := range o.byStream(targets) {
		found, err := o.consumersDiffering(ctx, stream, cursors)
		errs, differing = append(errs, err), append(differing, found...)
	}
	return differing, errors.Join(errs...)
}

func (o *Owner) streamsDiffer(ctx context.Context, a route.Address) (bool, error) {
	wanted := []natsjs.StreamConfig{deadLetterConfig(o.client.Names(), a), directedConfig(o.client.Names(), a)}
	if a.Log.Stream == "" { // one that was adopted is not ours to judge
		wanted = append(wanted, logConfig(o.client.Names(), a))
	}
	for _, want := range wanted {
		stream, err := o.client.JetStream().Stream(ctx, want.Name)
		if errors.Is(err, natsjs.ErrStreamNotFound) {
			continue
		}
		if err != nil {
			return false, fmt.Errorf("read stream %s: %w", want.Name, err)
		}
		have := stream.CachedInfo()
		if !reflect.DeepEqual(have.Config, withWanted(have, want)) || want.Name == o.client.Names().Log(a.Key) && o.isRemade(a.Key, *have) {
			return true, nil
		}
	}
	return false, nil
}

// consumersDiffering returns those of the targets with a cursor in the stream that is not what it should be.
func (o *Owner) consumersDiffering(ctx context.Context, name string, targets []routes.StoredRecord) ([]routes.StoredRecord, error) {
	stream, err := o.client.JetStream().Stream(ctx, name)
	if err != nil {
		return nil, jetstream.IgnoreMissing(err)
	}
	consumers, err := jetstream.ConsumersOf(ctx, stream)
	if err != nil {
		return nil, err
	}
	var differing []routes.StoredRecord
	var seen []string
	for _, r := range targets {
		info, there := consumers[r.Target.Consumer]
		if !there || slices.Contains(seen, info.Name) {
			continue
		}
		seen = append(seen, info.Name)
		want := o.cursorConfig(*r.Target)
		if info.Name == o.client.Names().SharedConsumer() {
			want = o.sharedConfig(*r.Target)
		}
		if _, same := alignedConsumer(info.Config, want); !same || info.Config.AckPolicy != want.AckPolicy {
			differing = append(differing, r)
		}
	}
	return differing, nil
}
