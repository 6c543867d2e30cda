package owner

import (
	"testing"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/internal/jstest"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/routes"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/route"
)

// A target has got a consumer of its own, be it from an earlier version or since it began with old events, and its record is lost: what it
// has not got is what that consumer has not got, though it would share one if it was new.
func TestATargetWithoutARecordKeepsAConsumerOfItsOwn(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		lose func(*installation, route.Target)
	}{
		{"its consumer is there", func(*installation, route.Target) {}},
		{"its consumer is lost, too", func(i *installation, own route.Target) { i.removeConsumer(own) }},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			i := install(t)
			own := i.put(i.alone("own"))
			i.publish(0, 10, "a")
			i.sweep()
			c.lose(i, own)
			i.deleteByHand(routes.RecordKey(route.Record{Target: &own}))
			again := i.put(i.trigger("own")) // it does not ask for old events any more
			if again.Consumer != own.Consumer || !i.has(again) {
				t.Fatalf("it has the consumer %s (there: %t), want %s", again.Consumer, i.has(again), own.Consumer)
			}
			source := open(t, i.client, again, 10)
			defer source.Stop()
			takeAll(t, source, 0, 10)
		})
	}
}

func TestATargetLeavesNoConsumerOfItsOwnBehind(t *testing.T) {
	t.Parallel()
	i := install(t)
	target := i.put(i.trigger("one"))
	left := target
	left.Consumer = i.client.Names().Consumer(target.Key)
	_, err := i.client.JetStream().CreateConsumer(jstest.Context(t), i.client.Names().Log(i.broker.Key), i.owner.cursorConfig(target))
	jstest.Must(t, err)
	if !i.has(left) {
		t.Fatal("there is no such consumer")
	}
	jstest.Must(t, i.owner.RemoveTarget(jstest.Context(t), target.Key))
	i.sweep()
	if i.has(left) {
		t.Error("the consumer is left; it holds the log for ever")
	}
}
