package owner

import (
	"slices"
	"testing"

	natsjs "github.com/nats-io/nats.go/jetstream"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/internal/jstest"
)

// As long as a Put fails, the other targets of the Broker are served, also by a filter that starts, which asks the shared consumer whose
// cursor it is.
func TestAPutThatFailsLeavesNoMember(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name  string
		spoil func(*installation)
	}{
		{"no directed stream can be made", func(i *installation) {
			names := i.client.Names()
			jstest.Must(i.t, jetstream.IgnoreMissing(i.client.JetStream().DeleteStream(jstest.Context(i.t), names.DirectedStream(i.broker.Key))))
			_, err := i.client.JetStream().CreateStream(jstest.Context(i.t), natsjs.StreamConfig{
				Name: "IN-THE-WAY", Subjects: []string{names.DirectedSubjects(i.broker.Key)},
			})
			jstest.Must(i.t, err)
		}},
		{"no record can be written", func(i *installation) {
			config := i.bucketState(i.client.Names().RoutesBucket()).Config
			config.MaxMsgSize = 100
			_, err := i.client.JetStream().UpdateStream(jstest.Context(i.t), config)
			jstest.Must(i.t, err)
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			i := install(t, brisk)
			one := i.put(i.trigger("one"))
			c.spoil(i)
			for range 2 {
				if _, err := i.owner.PutTarget(jstest.Context(t), i.trigger("another")); err == nil {
					t.Fatal("the Trigger is put")
				}
			}
			if have := i.members(); !slices.Equal(have, []string{jetstream.MemberTag(one.Key)}) {
				t.Errorf("the members are %v, want the one that is recorded", have)
			}
			p := i.process(dial(t, i.server, brisk))
			p.knows(one)
			source := p.Log(one)
			i.publish(0, 10, "a")
			takeAll(t, source, 0, 10)
		})
		t.Run(c.name+" for the first Trigger", func(t *testing.T) {
			t.Parallel()
			i := install(t, brisk)
			c.spoil(i)
			if _, err := i.owner.PutTarget(jstest.Context(t), i.trigger("one")); err == nil {
				t.Fatal("the Trigger is put")
			}
			if left := i.consumersLeft(); left != 0 {
				t.Errorf("%d consumers are left; they hold the log", left)
			}
		})
	}
}

// What was a member before, without a record since somebody deleted that, stays one: what it has not got is kept.
func TestAPutThatFailsKeepsAMemberWhoseRecordIsLost(t *testing.T) {
	t.Parallel()
	i := install(t, brisk)
	one := i.put(i.trigger("one"))
	i.publish(0, 10, "a")
	i.deleteByHand("target.broker.shop.orders.shop.one")
	config := i.bucketState(i.client.Names().RoutesBucket()).Config
	config.MaxMsgSize = 100
	_, err := i.client.JetStream().UpdateStream(jstest.Context(t), config)
	jstest.Must(t, err)
	if _, err := i.owner.PutTarget(jstest.Context(t), one); err == nil {
		t.Fatal("the Trigger is put")
	}
	if !i.has(one) {
		t.Error("the Trigger lost its place")
	}
}
