package owner

import (
	"slices"
	"testing"
	"time"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/buckets"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/internal/jstest"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/naming"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/route"
)

// deliver has the target take and acknowledge the events from..to-1.
func (i *installation) deliver(target route.Target, from, to int) {
	i.t.Helper()
	source := open(i.t, i.client, target, 10)
	takeAll(i.t, source, from, to)
	source.Stop()
	i.consumerIsDone(target)
}

// Else a process that has started since would read for those alone whose records are written first.
func TestASharedConsumerComesBackWithItsMembersAlthoughTheirRecordsAreLost(t *testing.T) {
	t.Parallel()
	i := install(t)
	first, second := i.put(i.trigger("first")), i.put(i.trigger("second"))
	i.sweep()
	i.removeConsumer(first)
	jstest.Must(t, i.client.JetStream().DeleteKeyValue(jstest.Context(t), i.client.Names().RoutesBucket()))
	jstest.Must(t, buckets.Ensure(jstest.Context(t), i.client))
	i.owner = New(i.client, "tests", time.Hour)
	i.put(i.trigger("first"))
	if have := i.members(); !slices.Contains(have, jetstream.MemberTag(second.Key)) {
		t.Errorf("the members are %v: a process that has never heard of the second reads for the first alone", have)
	}
}

func TestACursorComesBackWhereItStoodWhoeverLeads(t *testing.T) {
	t.Parallel()
	another := func(i *installation) { i.owner = New(i.client, "tests", time.Hour) }
	sweep := func(i *installation, _ route.Target) { i.sweep() }
	put := func(i *installation, all route.Target) { i.put(all) }
	for _, c := range []struct {
		name   string
		lose   func(*testing.T, *installation, route.Target)
		repair func(*installation, route.Target)
		// first is the first event that may come again.
		first int
	}{
		{"its consumer is deleted, a sweep repairs", loseConsumer, sweep, 10},
		{"its consumer is deleted, a put repairs", loseConsumer, put, 10},
		{"its record is deleted too", func(t *testing.T, i *installation, all route.Target) {
			loseConsumer(t, i, all)
			bucket, err := i.client.JetStream().KeyValue(jstest.Context(t), i.client.Names().RoutesBucket())
			jstest.Must(t, err)
			jstest.Must(t, bucket.Delete(jstest.Context(t), naming.TargetKey(all.Key)))
		}, put, 10},
		{"all routes are deleted too", func(t *testing.T, i *installation, all route.Target) {
			loseConsumer(t, i, all)
			jstest.Must(t, i.client.JetStream().DeleteKeyValue(jstest.Context(t), i.client.Names().RoutesBucket()))
		}, func(i *installation, all route.Target) {
			owned, err := i.owner.Owned(jstest.Context(t))
			if err != nil || len(owned) > 0 {
				t.Errorf("it owns %v, error %v; want the bucket made again, empty", owned, err)
			}
			i.putBroker()
			i.put(all)
		}, 10},
		{"its Trigger is deleted and made again", func(t *testing.T, i *installation, all route.Target) {
			loseConsumer(t, i, all)
			jstest.Must(t, i.owner.RemoveTarget(jstest.Context(t), all.Key))
		}, put, 10},
		{"the positions are deleted too", func(t *testing.T, i *installation, all route.Target) {
			loseConsumer(t, i, all)
			jstest.Must(t, i.client.JetStream().DeleteKeyValue(jstest.Context(t), i.client.Names().PositionsBucket()))
		}, sweep, 0},
		{"its position is scribbled over", func(t *testing.T, i *installation, all route.Target) {
			loseConsumer(t, i, all)
			bucket, err := i.client.JetStream().KeyValue(jstest.Context(t), i.client.Names().PositionsBucket())
			jstest.Must(t, err)
			_, err = bucket.Put(jstest.Context(t), naming.SharedKey(all.Key.Address), []byte("?"))
			jstest.Must(t, err)
		}, sweep, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			i := install(t)
			i.graceful()
			all := i.put(i.trigger("all"))
			i.publish(0, 10, "a")
			i.deliver(all, 0, 10)
			i.sweep() // sees where it stands
			i.publish(10, 20, "a")
			another(i)
			c.lose(t, i, all)
			c.repair(i, all)
			source := open(t, i.client, all, 20)
			defer source.Stop()
			if ids := takeAll(t, source, c.first, 20); !slices.Equal(ids, jstest.IDs(c.first, 20)) {
				t.Errorf("got %v, want %d to 19", ids, c.first)
			}
		})
	}
}

func loseConsumer(_ *testing.T, i *installation, all route.Target) { i.removeConsumer(all) }

// A Trigger must not get what was there before it, not even when it loses its consumer before any sweep has seen it.
func TestANewCursorIsRememberedAtOnce(t *testing.T) {
	t.Parallel()
	i := install(t)
	i.publish(0, 10, "a")
	all := i.put(i.trigger("all"))
	i.publish(10, 20, "a")
	i.removeConsumer(all)
	i.owner = New(i.client, "tests", time.Hour)
	i.sweep()
	source := open(t, i.client, all, 20)
	defer source.Stop()
	if ids := takeAll(t, source, 10, 20); !slices.Equal(ids, jstest.IDs(10, 20)) {
		t.Errorf("got %v, want what came after the Trigger", ids)
	}
}

// Positions of a log that was deleted by hand say nothing about the one that was made in its place.
func TestAPositionIsOfOneLog(t *testing.T) {
	t.Parallel()
	i := install(t)
	all := i.put(i.trigger("all"))
	i.publish(0, 10, "a")
	i.deliver(all, 0, 10)
	i.sweep()
	jstest.Must(t, i.client.JetStream().DeleteStream(jstest.Context(t), i.client.Names().Log(i.broker.Key)))
	i.putBroker()
	i.publish(10, 20, "a") // in the places of those before: here sequences count from 1
	i.sweep()
	source := open(t, i.client, all, 20)
	defer source.Stop()
	takeAll(t, source, 10, 20)
}

func TestAPositionThatIsGivenUpIsForgotten(t *testing.T) {
	t.Parallel()
	i := install(t)
	own := i.trigger("own")
	own.Start.Policy = route.StartAll
	for _, target := range []route.Target{i.put(i.trigger("all")), i.put(own)} {
		jstest.Must(t, i.owner.RemoveTarget(jstest.Context(t), target.Key))
	}
	i.sweep()
	for _, key := range []string{naming.SharedKey(i.broker.Key), naming.TargetKey(own.Key)} {
		if _, known, err := i.owner.positions.read(jstest.Context(t), key); err != nil || known {
			t.Errorf("%s: known %t, error %v", key, known, err)
		}
	}
}

// An owner dies between the two steps of a removal; whoever goes on does not find the consumer any more.
func TestAPositionIsForgottenWhoseConsumerIsGoneAlready(t *testing.T) {
	t.Parallel()
	i := install(t)
	one := i.put(i.trigger("one"))
	i.sweep()
	jstest.Must(t, i.owner.RemoveTarget(jstest.Context(t), one.Key))
	i.removeConsumer(one)
	i.sweep()
	if _, known, err := i.owner.positions.read(jstest.Context(t), naming.SharedKey(i.broker.Key)); err != nil || known {
		t.Errorf("known %t, error %v", known, err)
	}
	i.publish(0, 10, "a")
	late := i.put(i.trigger("late"))
	i.publish(10, 20, "a")
	source := open(t, i.client, late, 20)
	defer source.Stop()
	if ids := takeAll(t, source, 10, 20); !slices.Equal(ids, jstest.IDs(10, 20)) {
		t.Errorf("got %v, want what came after the Trigger", ids)
	}
}

// The shared consumer that somebody deleted by hand comes back for the others, where it stood.
func TestAPositionIsKeptForThoseWhoStillShare(t *testing.T) {
	t.Parallel()
	i := install(t)
	one, other := i.put(i.trigger("one")), i.put(i.trigger("other"))
	i.publish(0, 10, "a")
	i.sweep()
	jstest.Must(t, i.owner.RemoveTarget(jstest.Context(t), one.Key))
	i.removeConsumer(one)
	i.sweep()
	source := open(t, i.client, other, 10)
	defer source.Stop()
	takeAll(t, source, 0, 10)
}

// A process that leads again must not believe what it remembers of a target that another one has removed meanwhile.
func TestANewTargetDoesNotBeginWhereAFormerOneStood(t *testing.T) {
	t.Parallel()
	i := install(t)
	first, second := i.owner, New(i.client, "tests", shortGrace)
	target := i.trigger("one")
	target.Start.Policy = route.StartLast
	i.put(target)
	i.publish(0, 10, "a")
	i.sweep()

	jstest.Must(t, second.RemoveTarget(jstest.Context(t), target.Key))
	jstest.Must(t, second.Sweep(jstest.Context(t)))
	i.deleteByHand(naming.TargetKey(target.Key)) // as its life ends, a day later

	i.owner = first
	if again := i.put(target); i.consumerInfo(again).AckFloor.Stream != 9 {
		t.Errorf("the new one begins after %d, want 9: with the last event", i.consumerInfo(again).AckFloor.Stream)
	}
}

func TestACursorThatStandsStillIsNotWrittenAgain(t *testing.T) {
	t.Parallel()
	i := install(t)
	all := i.put(i.trigger("all"))
	bucket, err := i.client.JetStream().KeyValue(jstest.Context(t), i.client.Names().PositionsBucket())
	jstest.Must(t, err)
	revision := func() uint64 {
		entry, err := bucket.Get(jstest.Context(t), naming.SharedKey(all.Key.Address))
		jstest.Must(t, err)
		return entry.Revision()
	}
	before := revision()
	i.sweep()
	if after := revision(); after != before {
		t.Errorf("written %d times more", after-before)
	}
}
