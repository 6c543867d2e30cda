package owner

import (
	"errors"
	"testing"
	"time"

	natsjs "github.com/nats-io/nats.go/jetstream"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/dispatch"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/internal/jstest"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/route"
)

// readsDirected gives the target a consumer of its own in the directed stream, as earlier versions did, instead of the one of all.
func (i *installation) readsDirected(name string, target route.Target) {
	i.t.Helper()
	stream := i.client.Names().DirectedStream(i.broker.Key)
	jstest.Must(i.t, jetstream.IgnoreMissing(i.client.JetStream().DeleteConsumer(jstest.Context(i.t), stream, i.client.Names().SharedConsumer())))
	config := i.owner.leasedConsumer(name, target)
	config.DeliverPolicy = natsjs.DeliverAllPolicy
	config.FilterSubject = i.client.Names().DirectedSubject(target.Key)
	_, err := i.client.JetStream().CreateConsumer(jstest.Context(i.t), stream, config)
	jstest.Must(i.t, err)
}

func (i *installation) directedConsumers() map[string]*natsjs.ConsumerInfo {
	i.t.Helper()
	stream, err := i.client.JetStream().Stream(jstest.Context(i.t), i.client.Names().DirectedStream(i.broker.Key))
	jstest.Must(i.t, err)
	consumers, err := jetstream.ConsumersOf(jstest.Context(i.t), stream)
	jstest.Must(i.t, err)
	return consumers
}

// Earlier versions had a consumer for each target in the directed stream. NATS takes no other of the same messages beside them.
func TestWhatAnEarlierVersionHasParkedIsRead(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name    string
		upgrade func(*installation, route.Target)
	}{
		{"after a sweep", func(i *installation, _ route.Target) { i.sweep() }},
		{"after a put", func(i *installation, target route.Target) { i.put(target) }},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			i := install(t, brisk)
			one, other := i.put(i.trigger("one")), i.put(i.trigger("other"))
			i.readsDirected(i.client.Names().Consumer(one.Key), one)
			i.readsDirected(i.client.Names().Consumer(other.Key), other)
			store := storeOf(t, i.client, jstest.Table(i.broker))
			jstest.Must(t, store.Park(jstest.Context(t), one, dispatch.Work{Event: jstest.Event("1", "a"), Sequence: 1, Attempt: 1}, time.Now()))
			jstest.Must(t, store.Park(jstest.Context(t), one, dispatch.Work{Event: jstest.Event("2", "a"), Sequence: 2, Attempt: 1}, time.Now()))
			former, err := i.client.JetStream().Consumer(jstest.Context(t), i.client.Names().DirectedStream(i.broker.Key), i.client.Names().Consumer(one.Key))
			jstest.Must(t, err)
			_, err = former.Next(natsjs.FetchMaxWait(jstest.Patience)) // by a filter that then dies
			jstest.Must(t, err)

			c.upgrade(i, one)
			if have := i.directedConsumers(); len(have) != 1 || have[i.client.Names().SharedConsumer()] == nil {
				t.Fatalf("the consumers are %v, want the one of all targets", have)
			}
			source := directed(t, i.client, one)
			defer source.Stop()
			seen := map[uint64]bool{}
			for range 2 {
				m := next(t, source)
				jstest.Must(t, m.Ack())
				seen[m.Sequence] = true
			}
			if !seen[1] || !seen[2] {
				t.Errorf("what was parked came as %v", seen)
			}
		})
	}
}

func TestAConsumerInADirectedStreamThatIsNotOursStays(t *testing.T) {
	t.Parallel()
	i := install(t)
	one := i.put(i.trigger("one"))
	i.readsDirected("by-hand", one)
	var api *natsjs.APIError
	if _, err := i.owner.PutTarget(jstest.Context(t), one); !errors.As(err, &api) || api.ErrorCode != jetstream.ErrCodeNotUnique {
		t.Errorf("error %v, want what NATS says", err)
	}
	if i.directedConsumers()["by-hand"] == nil {
		t.Error("somebody else's consumer is gone")
	}
}
