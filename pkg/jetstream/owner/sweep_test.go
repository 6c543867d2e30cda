package owner

import (
	"errors"
	"slices"
	"testing"
	"time"

	natsjs "github.com/nats-io/nats.go/jetstream"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/buckets"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/internal/jstest"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/trim"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/naming"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/route"
)

// graceful gives the installation an owner that keeps what was removed for an hour.
func (i *installation) graceful() *Owner {
	i.owner = New(i.client, "tests", time.Hour)
	return i.owner
}

// has tells whether the target has its cursor, alone or as a member of the shared one.
func (i *installation) has(consumer route.Target) bool {
	i.t.Helper()
	have, err := i.client.JetStream().Consumer(jstest.Context(i.t), i.client.Names().Log(i.broker.Key), consumer.Consumer)
	jstest.Must(i.t, jetstream.IgnoreMissing(err))
	if consumer.Consumer != i.client.Names().SharedConsumer() {
		return err == nil
	}
	return err == nil && slices.Contains(jetstream.MembersIn(have.CachedInfo().Config.Metadata), jetstream.MemberTag(consumer.Key))
}

func TestARemovedTriggersConsumerIsKeptForTheGrace(t *testing.T) {
	t.Parallel()
	i := install(t)
	i.graceful()
	all := i.put(i.trigger("all"))
	i.publish(0, 10, "a")
	jstest.Must(t, i.owner.RemoveTarget(jstest.Context(t), all.Key))
	jstest.Must(t, i.owner.RemoveTarget(jstest.Context(t), all.Key)) // as often as anyone likes
	i.sweep()
	if !i.has(all) {
		t.Fatal("the consumer is gone within the grace period")
	}
	if floor := i.reading().Floor; floor != 1 {
		t.Errorf("the log may be trimmed below %d: the consumer no longer holds it", floor)
	}

	again := i.trigger("all") // in time: it takes the consumer over, with its backlog
	again.UID = "another"
	again = i.put(again)
	i.publish(10, 20, "a")
	i.owner.grace = shortGrace
	i.sweep()
	source := open(t, i.client, again, 10)
	defer source.Stop()
	takeAll(t, source, 0, 20)
}

func TestARemovedTriggersConsumerIsDeletedAfterTheGrace(t *testing.T) {
	t.Parallel()
	i := install(t)
	all, other := i.put(i.trigger("all")), i.put(i.trigger("other"))
	i.publish(0, 10, "a")
	jstest.Must(t, i.owner.RemoveTarget(jstest.Context(t), all.Key))
	for range 2 { // the second finds nothing to do
		i.sweep()
		if i.has(all) || !i.has(other) {
			t.Fatalf("the removed Trigger has its consumer: %v; the other: %v; want only the other", i.has(all), i.has(other))
		}
	}

	all = i.put(all) // too late: it begins anew, at the log's end
	i.publish(10, 20, "a")
	source := open(t, i.client, all, 10)
	defer source.Stop()
	if ids := takeAll(t, source, 10, 20); !slices.Equal(ids, jstest.IDs(10, 20)) {
		t.Errorf("got %v, want what came after the Trigger was made again", ids)
	}
}

// The sweep works on what it read a moment ago. A Trigger that was put again meanwhile keeps its consumer.
func TestATombstoneThatIsNoLongerThereRemovesNothing(t *testing.T) {
	t.Parallel()
	i := install(t)
	all := i.put(i.trigger("all"))
	jstest.Must(t, i.owner.RemoveTarget(jstest.Context(t), all.Key))
	stale, _, err := Record(jstest.Context(t), i.client, naming.TargetKey(all.Key))
	jstest.Must(t, err)
	i.put(all)
	if err := i.owner.remove(jstest.Context(t), stale); !errors.Is(err, ErrConflict) {
		t.Errorf("error %v, want ErrConflict", err)
	}
	if !i.has(all) {
		t.Error("a live Trigger lost its consumer")
	}
}

// A process that was cut off while a route ended and was swept must hear of it when it is back.
func TestATombstoneOutlivesItsSweep(t *testing.T) {
	t.Parallel()
	i := install(t)
	all := i.put(i.trigger("all"))
	jstest.Must(t, i.owner.RemoveTarget(jstest.Context(t), all.Key))
	i.sweep()
	record, found, err := Record(jstest.Context(t), i.client, naming.TargetKey(all.Key))
	jstest.Must(t, err)
	if !found || record.DeletedAt == nil || !record.Swept {
		t.Fatalf("the record is %+v, want a swept tombstone", record)
	}
	long := time.Now().Add(-tombstoneLife - time.Hour)
	record.DeletedAt = &long
	_, err = i.owner.PutRecord(jstest.Context(t), record.Record)
	jstest.Must(t, err)
	i.sweep()
	if _, found, err = Record(jstest.Context(t), i.client, naming.TargetKey(all.Key)); err != nil || found {
		t.Errorf("the tombstone is still there (error %v), want it gone after %s", err, tombstoneLife)
	}
}

func TestARemovedBrokersStreamsGoAfterTheGrace(t *testing.T) {
	t.Parallel()
	i := install(t)
	i.graceful()
	all := i.put(i.trigger("all"))
	names := i.client.Names()
	streams := []string{names.Log(i.broker.Key), names.DirectedStream(i.broker.Key), names.DeadLetterStream(i.broker.Key)}
	existing := func() (found []string) {
		for _, name := range streams {
			if _, err := i.client.JetStream().Stream(jstest.Context(t), name); err == nil {
				found = append(found, name)
			} else if !errors.Is(err, natsjs.ErrStreamNotFound) {
				t.Fatal(err)
			}
		}
		return found
	}

	jstest.Must(t, i.owner.RemoveAddress(jstest.Context(t), i.broker.Key))
	i.sweep()
	if have := existing(); !slices.Equal(have, streams) {
		t.Fatalf("within the grace period there are %v, want %v", have, streams)
	}
	i.owner.grace = shortGrace
	i.sweep()
	if have := existing(); len(have) != 0 {
		t.Errorf("after it there are %v", have)
	}
	i.sweep() // its Trigger is still there, and wants a log that it cannot have

	all.NotReady = "its Broker is gone"
	i.put(all)
	record, _, err := Record(jstest.Context(t), i.client, naming.TargetKey(all.Key))
	jstest.Must(t, err)
	if record.Target.Consumer != "" {
		t.Errorf("the record names the consumer %q, which went with the log", record.Target.Consumer)
	}
}

func TestALogDeletedByHandIsMadeAgainWithItsConsumers(t *testing.T) {
	t.Parallel()
	i := install(t)
	all := i.put(i.trigger("all"))
	i.publish(0, 10, "a")
	before, err := i.owner.PutAddress(jstest.Context(t), i.broker)
	jstest.Must(t, err)
	jstest.Must(t, i.client.JetStream().DeleteStream(jstest.Context(t), i.client.Names().Log(i.broker.Key)))
	i.sweep()
	if !i.differs() {
		t.Error("nobody is told of the log that was made again")
	}
	after, err := i.owner.PutAddress(jstest.Context(t), i.broker)
	jstest.Must(t, err)
	if !after.LogMade.After(before.LogMade) {
		t.Errorf("the log was made at %s, and then at %s", before.LogMade, after.LogMade)
	}
	if i.differs() {
		t.Error("it is told again to whoever has put the address since")
	}
	i.publish(10, 20, "a")
	source := open(t, i.client, all, 10)
	defer source.Stop()
	takeAll(t, source, 10, 20)
}

func TestOtherInstallationsAndOwnersAreNotTouched(t *testing.T) {
	t.Parallel()
	i := install(t)
	neighbour := &installation{t: t, server: i.server, client: dialAs(t, i.server, "other"), broker: i.broker}
	jstest.Must(t, buckets.Ensure(jstest.Context(t), neighbour.client))
	neighbour.owner = New(neighbour.client, "tests", shortGrace)
	neighbour.putBroker()
	theirs := neighbour.put(neighbour.trigger("all"))
	ours := i.put(i.trigger("all"))
	colleague := New(i.client, "a colleague", shortGrace)
	shared, err := colleague.PutTarget(jstest.Context(t), i.trigger("colleagues"))
	jstest.Must(t, err)

	i.publish(0, 10, "a")
	jstest.Must(t, i.owner.RemoveTarget(jstest.Context(t), ours.Key))
	jstest.Must(t, i.owner.RemoveAddress(jstest.Context(t), i.broker.Key))
	jstest.Must(t, colleague.RemoveTarget(jstest.Context(t), i.trigger("colleagues").Key))
	i.sweep()

	record, found, err := Record(jstest.Context(t), i.client, shared.Key)
	if err != nil || !found || record.Swept {
		t.Errorf("the colleague's tombstone is %+v, error %v: it is not ours to sweep", record, err)
	}
	if !neighbour.has(theirs) || neighbour.reading().State.Msgs != 0 {
		t.Error("the neighbour's log or consumer was touched")
	}
	neighbour.publish(0, 5, "a")
	source := open(t, neighbour.client, theirs, 5)
	defer source.Stop()
	takeAll(t, source, 0, 5)
}

func TestOneUnreadableRecordDoesNotStopTheSweep(t *testing.T) {
	t.Parallel()
	i := install(t)
	all, gone := i.put(i.trigger("all")), i.put(i.trigger("gone"))
	bucket, err := i.client.JetStream().KeyValue(jstest.Context(t), i.client.Names().RoutesBucket())
	jstest.Must(t, err)
	_, err = bucket.Put(jstest.Context(t), "target.broker.shop.orders.shop.garbage", []byte("{"))
	jstest.Must(t, err)
	i.removeConsumer(all)
	jstest.Must(t, i.owner.RemoveTarget(jstest.Context(t), gone.Key))
	if err := i.owner.Sweep(jstest.Context(t)); !errors.Is(err, route.ErrRecord) {
		t.Errorf("error %v, want the unreadable record to be named", err)
	}
	if !i.has(all) || i.has(gone) {
		t.Errorf("repaired: %v, removed: %v; want both", i.has(all), !i.has(gone))
	}
	// Nobody knows what the garbage stands for, so nothing is trimmed.
	i.publish(0, 5, "a")
	if _, err := trim.Once(jstest.Context(t), i.client, i.broker, 1); err == nil {
		source := open(t, i.client, all, 5)
		takeAll(t, source, 0, 5)
		source.Stop()
		i.consumerIsDone(all)
		_, err = trim.Once(jstest.Context(t), i.client, i.broker, 1)
		if !errors.Is(err, route.ErrRecord) {
			t.Errorf("trimmed, error %v, although a target's record cannot be read", err)
		}
	}
	// Its owner can write it anew.
	jstest.Must(t, bucket.Delete(jstest.Context(t), "target.broker.shop.orders.shop.garbage"))
	_, err = bucket.Put(jstest.Context(t), naming.TargetKey(all.Key), []byte("{"))
	jstest.Must(t, err)
	i.put(all)
	i.sweep()
}

func TestTheStreamsBesideALogAreMadeByTheOwnerAndMadeAgain(t *testing.T) {
	t.Parallel()
	i := install(t)
	names, key := i.client.Names(), i.broker.Key
	i.stream(names.DeadLetterStream(key)) // is there
	if _, err := i.client.JetStream().Stream(jstest.Context(t), names.DirectedStream(key)); !errors.Is(err, natsjs.ErrStreamNotFound) {
		t.Errorf("error %v; want no directed stream before the first Trigger", err)
	}
	i.put(i.trigger("all"))
	whole := func() {
		t.Helper()
		i.stream(names.DeadLetterStream(key))
		consumer, err := i.client.JetStream().Consumer(jstest.Context(t), names.DirectedStream(key), names.SharedConsumer())
		jstest.Must(t, err)
		have := consumer.CachedInfo().Config
		if have.FilterSubject != names.DirectedSubjects(key) || have.DeliverPolicy != natsjs.DeliverAllPolicy {
			t.Errorf("the directed consumer is %+v", have)
		}
	}
	whole()
	jstest.Must(t, i.client.JetStream().DeleteConsumer(jstest.Context(t), names.DirectedStream(key), names.SharedConsumer()))
	i.sweep()
	whole()
	jstest.Must(t, i.client.JetStream().DeleteStream(jstest.Context(t), names.DirectedStream(key)))
	jstest.Must(t, i.client.JetStream().DeleteStream(jstest.Context(t), names.DeadLetterStream(key)))
	i.sweep()
	whole()
}
