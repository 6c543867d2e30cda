package jetstream

import (
	"testing"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/route"
)

// A member without a record keeps every filter that starts from reading the log.
func TestATargetThatCannotBePutIsNoMember(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		// prevent makes a put fail.
		prevent func(*installation)
	}{
		{"its directed stream cannot be made", func(i *installation) {
			names, key := i.client.names, i.broker.Key
			must(i.t, ignoreMissing(i.client.js.DeleteStream(budgetOf(i.t), names.DirectedStream(key))))
			_, err := i.client.js.CreateStream(budgetOf(i.t), jetstream.StreamConfig{Name: "OTHERS", Subjects: []string{names.DirectedSubjects(key)}})
			must(i.t, err)
		}},
		{"its record cannot be written", func(i *installation) {
			config := bucketInfo(i.t, i.client, i.client.names.RoutesBucket()).Config
			config.MaxMsgSize = 10
			_, err := i.client.js.UpdateStream(budgetOf(i.t), config)
			must(i.t, err)
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			for _, others := range []bool{false, true} {
				i := install(t)
				want := 0
				if others {
					i.put(i.trigger("other"))
					want = 1
				}
				c.prevent(i)
				if _, err := i.owner.PutTarget(budgetOf(t), i.trigger("failing")); err == nil {
					t.Fatal("it is put")
				}
				shared, err := i.client.sharedConsumer(budgetOf(t), i.broker.Key)
				members := 0
				if err == nil {
					members = len(membersIn(shared.Config.Metadata))
				}
				if ignoreMissing(err) != nil || members != want || (err == nil) != others {
					t.Errorf("others %v: %d members, error %v; want %d", others, members, err, want)
				}
			}
		})
	}
}

// A lost record does not cost a target the place that its own consumer has, although it would share today.
func TestATargetKeepsItsOwnConsumerWhenItsRecordIsLost(t *testing.T) {
	t.Parallel()
	i := install(t, brisk)
	own := i.put(i.alone("own"))
	i.publish(0, 10, "a")
	i.deleteByHand(recordKey(route.Record{Target: &own}))
	again := i.put(i.trigger("own"))
	if again.Consumer != own.Consumer {
		t.Errorf("its consumer is %s, want %s", again.Consumer, own.Consumer)
	}
	i.deliver(again, 0, 10)
}

func TestARemovalLeavesNoConsumerThatTheRecordDoesNotName(t *testing.T) {
	t.Parallel()
	i := install(t, brisk)
	own := i.put(i.alone("both"))
	shared := own
	shared.Consumer = i.client.names.SharedConsumer()
	must(t, i.owner.enter(budgetOf(t), shared))
	shared.Owner = "tests"
	_, err := i.client.PutRecord(budgetOf(t), route.Record{Target: &shared})
	must(t, err)
	must(t, i.owner.RemoveTarget(budgetOf(t), own.Key))
	i.sweep()
	if left := i.consumersLeft(); left != 0 {
		t.Errorf("%d consumers are left; they hold the log for ever", left)
	}
}

// A removal that ended between the consumer and its position is gone on with by the next sweep: else the next target of the Broker would
// be taken for one that had shared.
func TestARemovalGoesOnAfterItsConsumerIsGone(t *testing.T) {
	t.Parallel()
	i := install(t, brisk)
	one := i.put(i.trigger("one"))
	i.publish(0, 10, "a")
	i.deliver(one, 0, 10)
	i.sweep() // remembers its position
	must(t, i.owner.RemoveTarget(budgetOf(t), one.Key))
	i.removeConsumer(one)
	i.sweep()
	i.publish(10, 20, "a")
	two := i.put(i.trigger("two"))
	if two.After != 20 {
		t.Errorf("a new Trigger begins after %d, want 20: the end of the log", two.After)
	}
}

// Former versions had a consumer of the directed stream for each target.
func TestFormerConsumersOfADirectedStreamGo(t *testing.T) {
	t.Parallel()
	i := install(t, brisk)
	one := i.put(i.trigger("one"))
	stream, name := i.client.names.DirectedStream(i.broker.Key), i.client.names.Consumer(one.Key)
	must(t, i.client.js.DeleteConsumer(budgetOf(t), stream, i.client.names.SharedConsumer()))
	former := i.client.leasedConsumer(name, one)
	former.FilterSubject = i.client.names.DirectedSubject(one.Key)
	_, err := i.client.js.CreateConsumer(budgetOf(t), stream, former)
	must(t, err)
	for _, again := range []func(){func() { i.put(one) }, i.sweep} {
		again()
		if _, err := i.client.js.Consumer(budgetOf(t), stream, i.client.names.SharedConsumer()); err != nil {
			t.Errorf("the shared consumer: %v", err)
		}
	}
}
