package owner

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	natsjs "github.com/nats-io/nats.go/jetstream"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/filter"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/buckets"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/internal/jstest"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/trim"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/naming"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/route"
)

func TestPutsAreIdempotent(t *testing.T) {
	t.Parallel()
	i := install(t)
	target := i.trigger("some", "a", "b")
	first, err := i.owner.PutTarget(jstest.Context(t), target)
	jstest.Must(t, err)
	address, err := i.owner.PutAddress(jstest.Context(t), i.broker)
	jstest.Must(t, err)
	for range 3 {
		again, err := i.owner.PutTarget(jstest.Context(t), target)
		jstest.Must(t, err)
		if again != first || again.Key != naming.TargetKey(target.Key) {
			t.Errorf("the target stands at %v, then at %v", first, again)
		}
		if again, err := i.owner.PutAddress(jstest.Context(t), i.broker); err != nil || again != address {
			t.Errorf("the address stands at %v, then at %v, error %v", address, again, err)
		}
	}
}

func TestTheLogsLimitIsChosenOnceWhenNobodyNamesOne(t *testing.T) {
	t.Parallel()
	i := install(t)
	a := brokerOf("default", 0)
	_, err := i.owner.PutAddress(jstest.Context(t), a)
	jstest.Must(t, err)
	record, found, err := Record(jstest.Context(t), i.client, naming.AddressKey(a.Key))
	jstest.Must(t, err)
	if !found || record.Address.Log.MaxBytes != DefaultMaxBytes {
		t.Errorf("the record says %+v, want a limit of %d", record.Address, DefaultMaxBytes)
	}
	a.Log.MaxBytes = 1 << 20
	_, err = i.owner.PutAddress(jstest.Context(t), a)
	jstest.Must(t, err)
	a.Log.MaxBytes = 0
	_, err = i.owner.PutAddress(jstest.Context(t), a)
	jstest.Must(t, err)
	if have := i.stream(i.client.Names().Log(a.Key)).MaxBytes; have != 1<<20 {
		t.Errorf("the log's limit is %d, want the one that it had", have)
	}
}

func (i *installation) stream(name string) natsjs.StreamConfig {
	i.t.Helper()
	stream, err := i.client.JetStream().Stream(jstest.Context(i.t), name)
	jstest.Must(i.t, err)
	return stream.CachedInfo().Config
}

// A filter process must find the consumer when it hears of the route; and a route that was refused leaves no consumer.
func TestTheConsumerIsThereBeforeTheRoute(t *testing.T) {
	t.Parallel()
	i := install(t)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	bucket, err := i.client.JetStream().KeyValue(ctx, i.client.Names().RoutesBucket())
	jstest.Must(t, err)
	watcher, err := bucket.Watch(ctx, "target.>")
	jstest.Must(t, err)
	if first := <-watcher.Updates(); first != nil {
		t.Fatalf("found %s", first.Key())
	}
	seen := make(chan error, 1)
	go func() {
		entry := <-watcher.Updates()
		record, err := route.DecodeRecord(entry.Value())
		if err == nil {
			_, err = i.client.JetStream().Consumer(ctx, i.client.Names().Log(i.broker.Key), record.Target.Consumer)
		}
		seen <- err
	}()
	i.put(i.trigger("all"))
	jstest.Must(t, <-seen)
}

func TestANewTriggerStartsAtTheEndOfTheLog(t *testing.T) {
	t.Parallel()
	i := install(t)
	i.publish(0, 10, "a")
	all := i.put(i.trigger("all"))
	i.publish(10, 20, "a")
	source := open(t, i.client, all, 10)
	defer source.Stop()
	if ids := takeAll(t, source, 10, 20); !slices.Equal(ids, jstest.IDs(10, 20)) {
		t.Errorf("got %v, want what was published after the Trigger was made", ids)
	}
}

func TestATriggerThatIsNotReadyGetsACursorOnlyWhenItHadOne(t *testing.T) {
	t.Parallel()
	i := install(t)
	target := i.trigger("later")
	target.NotReady, target.Consumer = "its subscriber cannot be resolved", ""
	i.put(target)
	consumers := func() int { return len(i.reading().Consumers) }
	if n := consumers(); n != 0 {
		t.Fatalf("%d consumers, want none: it would hold the log for nothing", n)
	}
	target.NotReady = ""
	i.put(target)
	i.publish(0, 5, "a")
	target.NotReady = "its subscriber cannot be resolved any more"
	i.put(target)
	if n := consumers(); n != 1 {
		t.Errorf("%d consumers, want the one that it had", n)
	}
	record, _, err := Record(jstest.Context(t), i.client, naming.TargetKey(target.Key))
	jstest.Must(t, err)
	if record.Target.Consumer == "" || record.Target.NotReady == "" {
		t.Errorf("the record is %+v, want its reason and its consumer", record.Target)
	}
}

func (i *installation) reading() trim.Reading {
	i.t.Helper()
	reading, err := trim.ReadLog(jstest.Context(i.t), i.client, i.client.Names().Log(i.broker.Key))
	jstest.Must(i.t, err)
	return reading
}

func TestRoutesOfAnotherOwnerAreLeftAlone(t *testing.T) {
	t.Parallel()
	i := install(t)
	all := i.put(i.trigger("all", "a"))
	other := New(i.client, "somebody else", shortGrace)
	changed := i.broker
	changed.Log.MaxBytes *= 2
	widened := all
	widened.Filter = filter.Spec{}
	for _, step := range []struct {
		name string
		do   func() error
	}{
		{"PutAddress", func() error { _, err := other.PutAddress(jstest.Context(t), changed); return err }},
		{"PutTarget", func() error { _, err := other.PutTarget(jstest.Context(t), widened); return err }},
		{"RemoveAddress", func() error { return other.RemoveAddress(jstest.Context(t), i.broker.Key) }},
		{"RemoveTarget", func() error { return other.RemoveTarget(jstest.Context(t), all.Key) }},
		{"PutRecord", func() error {
			widened.Owner = "somebody else"
			_, err := i.owner.PutRecord(jstest.Context(t), route.Record{Target: &widened})
			return err
		}},
	} {
		if err := step.do(); !errors.Is(err, ErrForeignRoute) || !strings.Contains(err.Error(), "tests") {
			t.Errorf("%s: error %v, want ErrForeignRoute that names the owner", step.name, err)
		}
	}
	if have := i.stream(i.client.Names().Log(i.broker.Key)).MaxBytes; have != i.broker.Log.MaxBytes {
		t.Errorf("the log was changed to %d bytes", have)
	}
	if have := i.consumerInfo(all).Config; have.Metadata[jetstream.MetaOwner] != "tests" {
		t.Errorf("the consumer is another's now: %v", have.Metadata)
	}
	owned, err := other.Owned(jstest.Context(t))
	if err != nil || len(owned) != 0 {
		t.Errorf("it owns %v, error %v", owned, err)
	}
	if owned, err = i.owner.Owned(jstest.Context(t)); err != nil || len(owned) != 2 {
		t.Errorf("the owner owns %v, error %v, want both records", owned, err)
	}
	// Once the owner has let go of it, another may have the name.
	jstest.Must(t, i.owner.RemoveTarget(jstest.Context(t), all.Key))
	_, err = other.PutTarget(jstest.Context(t), all)
	jstest.Must(t, err)
}

func TestAFieldThatNATSCannotChangeIsNamed(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		field  string
		change func(*installation)
	}{
		{"storage", func(i *installation) { i.broker.Log.Memory = true }},
		{"maxConsumers", func(i *installation) { i.broker.Log.MaxConsumers = 7 }},
	} {
		t.Run(c.field, func(t *testing.T) {
			i := install(t)
			c.change(i)
			_, err := i.owner.PutAddress(jstest.Context(t), i.broker)
			if !errors.Is(err, ErrImmutable) || !strings.HasSuffix(err.Error(), c.field) {
				t.Errorf("error %v, want ErrImmutable and the field", err)
			}
		})
	}
	t.Run("ackPolicy", func(t *testing.T) {
		i := install(t)
		all := i.trigger("all")
		_, err := i.client.JetStream().CreateConsumer(jstest.Context(t), i.client.Names().Log(i.broker.Key), natsjs.ConsumerConfig{
			Durable: all.Consumer, AckPolicy: natsjs.AckNonePolicy,
		})
		jstest.Must(t, err)
		if _, err := i.owner.PutTarget(jstest.Context(t), all); !errors.Is(err, ErrImmutable) || !strings.HasSuffix(err.Error(), "ackPolicy") {
			t.Errorf("error %v, want ErrImmutable and the field", err)
		}
	})
}

func TestDriftIsRepairedAndWhatIsNotOursStays(t *testing.T) {
	t.Parallel()
	i := install(t)
	all := i.put(i.trigger("all"))
	log := i.client.Names().Log(i.broker.Key)
	i.publish(0, 10, "a")

	drifted := i.stream(log)
	drifted.Duplicates, drifted.Discard, drifted.MaxBytes = time.Second, natsjs.DiscardOld, 1<<20
	drifted.Compression, drifted.Metadata["somebody"] = natsjs.S2Compression, "else"
	_, err := i.client.JetStream().UpdateStream(jstest.Context(t), drifted)
	jstest.Must(t, err)
	consumer := i.consumerInfo(all).Config
	consumer.AckWait, consumer.MaxDeliver, consumer.MaxAckPending = time.Second, 3, 1
	_, err = i.client.JetStream().UpdateConsumer(jstest.Context(t), log, consumer)
	jstest.Must(t, err)

	i.putBroker()
	i.put(all)
	stream := i.stream(log)
	if stream.Discard != natsjs.DiscardNew || stream.Duplicates != jetstream.DuplicateWindow || stream.MaxBytes != i.broker.Log.MaxBytes {
		t.Errorf("the log is still %+v", stream)
	}
	if stream.Compression != natsjs.S2Compression || stream.Metadata["somebody"] != "else" {
		t.Errorf("what an administrator set is gone: %+v", stream)
	}
	if have := i.consumerInfo(all).Config; have.AckWait != jetstream.AckWait || have.MaxDeliver != -1 || have.MaxAckPending != maxAckPending {
		t.Errorf("the consumer is still %+v", have)
	}
	source := open(t, i.client, all, 10)
	defer source.Stop()
	takeAll(t, source, 0, 10)
}

func TestAChangedFilterKeepsThePosition(t *testing.T) {
	t.Parallel()
	i := install(t)
	i.put(i.trigger("some", "a"))
	i.publish(0, 20, "a", "b") // even ids are of type a
	target := i.put(i.trigger("some", "b"))
	i.publish(20, 40, "a", "b")
	source := open(t, i.client, target, 100)
	defer source.Stop()
	ids := map[string]bool{}
	for len(ids) < 20 {
		m := next(t, source)
		ids[m.Event.Attr("id")] = true
		jstest.Must(t, m.Ack())
	}
	for _, id := range []string{"1", "21", "39"} {
		if !ids[id] {
			t.Errorf("event %s did not come", id)
		}
	}
}

func TestBucketsKeepWhatTheAdministratorChose(t *testing.T) {
	t.Parallel()
	i := install(t)
	bucket, err := i.client.JetStream().KeyValue(jstest.Context(t), i.client.Names().RoutesBucket())
	jstest.Must(t, err)
	status, err := bucket.Status(jstest.Context(t))
	jstest.Must(t, err)
	config := status.Config()
	config.MaxBytes, config.History = 1<<20, 5
	_, err = i.client.JetStream().UpdateKeyValue(jstest.Context(t), config)
	jstest.Must(t, err)

	jstest.Must(t, buckets.Ensure(jstest.Context(t), i.client))
	status, err = bucket.Status(jstest.Context(t))
	jstest.Must(t, err)
	if have := status.Config(); have.MaxBytes != 1<<20 || have.History != 1 {
		t.Errorf("the bucket is %+v, want our history and the administrator's limit", have)
	}
}
