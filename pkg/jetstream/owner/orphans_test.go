package owner

import (
	"errors"
	"reflect"
	"slices"
	"testing"

	natsjs "github.com/nats-io/nats.go/jetstream"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/buckets"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/internal/jstest"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/routes"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/naming"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/route"
	"github.com/eventing-jetstream/eventing-jetstream/test/natstest"
)

func (i *installation) unrecorded(o *Owner) (keys []string) {
	i.t.Helper()
	found, err := o.Unrecorded(jstest.Context(i.t))
	jstest.Must(i.t, err)
	for _, r := range found {
		if r.Revision != 0 {
			i.t.Errorf("%s stands at revision %d", routes.RecordKey(r.Record), r.Revision)
		}
		keys = append(keys, routes.RecordKey(r.Record))
	}
	slices.Sort(keys)
	return keys
}

// deleteByHand removes a record as somebody with the nats tool would.
func (i *installation) deleteByHand(key string) {
	i.t.Helper()
	bucket, err := i.client.JetStream().KeyValue(jstest.Context(i.t), i.client.Names().RoutesBucket())
	jstest.Must(i.t, err)
	jstest.Must(i.t, bucket.Purge(jstest.Context(i.t), key))
}

func TestWhatLostItsRecordIsFoundAndGoesAfterTheGrace(t *testing.T) {
	t.Parallel()
	i := install(t)
	begin := func(name string) route.Target { // with a cursor of its own
		target := i.trigger(name)
		target.Start.Policy = route.StartAll
		return i.put(target)
	}
	gone, kept, removed := begin("gone"), begin("kept"), begin("removed")
	jstest.Must(t, i.owner.RemoveTarget(jstest.Context(t), removed.Key))
	if have := i.unrecorded(i.owner); len(have) > 0 {
		t.Fatalf("%v are said to have no record", have)
	}
	i.deleteByHand(naming.TargetKey(gone.Key))
	if have := i.unrecorded(i.owner); !slices.Equal(have, []string{naming.TargetKey(gone.Key)}) {
		t.Fatalf("without a record: %v", have)
	}
	if have := i.unrecorded(New(i.client, "another", shortGrace)); len(have) > 0 {
		t.Errorf("another owner finds %v", have)
	}
	found, err := i.owner.Unrecorded(jstest.Context(t))
	jstest.Must(t, err)
	jstest.Must(t, i.owner.End(jstest.Context(t), found[0]))
	i.sweep()
	if i.has(gone) || !i.has(kept) {
		t.Errorf("the one without a record is there: %t; the other: %t", i.has(gone), i.has(kept))
	}

	for _, r := range []route.Record{{Address: &i.broker}, {Target: &kept}} {
		i.deleteByHand(routes.RecordKey(r))
	}
	if have := i.unrecorded(i.owner); len(have) != 2 {
		t.Errorf("without a record: %v", have)
	}
}

func TestStreamsBesideALogThatLostItsRecordAreFound(t *testing.T) {
	t.Parallel()
	i := install(t)
	i.put(i.trigger("all"))
	names, key := i.client.Names(), i.broker.Key
	jstest.Must(t, i.client.JetStream().DeleteStream(jstest.Context(t), names.Log(key)))
	for _, stream := range []string{names.DeadLetterStream(key), names.DirectedStream(key)} {
		i.deleteByHand(naming.AddressKey(key))
		if have := i.unrecorded(i.owner); !slices.Equal(have, []string{naming.AddressKey(key)}) {
			t.Fatalf("without a record: %v, want the address, for %s", have, stream)
		}
		jstest.Must(t, i.client.JetStream().DeleteStream(jstest.Context(t), stream))
	}
	if have := i.unrecorded(i.owner); len(have) > 0 {
		t.Errorf("without a record: %v, and nothing is there", have)
	}
}

// Somebody who came back meanwhile is not ended by what was found before.
func TestOnlyWhatWasReadEnds(t *testing.T) {
	t.Parallel()
	i := install(t)
	all := i.trigger("all")
	all.Start.Policy = route.StartAll
	all = i.put(all)
	i.deleteByHand(naming.TargetKey(all.Key))
	unrecorded, err := i.owner.Unrecorded(jstest.Context(t))
	jstest.Must(t, err)
	i.put(all)
	jstest.Must(t, i.owner.End(jstest.Context(t), unrecorded[0]))
	read, _, err := Record(jstest.Context(t), i.client, naming.TargetKey(all.Key))
	jstest.Must(t, err)
	if read.DeletedAt != nil {
		t.Fatal("a record that was written anew is ended for one that was not there")
	}
	again := all
	again.UID = "another"
	i.put(again)
	jstest.Must(t, i.owner.End(jstest.Context(t), read))
	now, _, err := Record(jstest.Context(t), i.client, naming.TargetKey(all.Key))
	jstest.Must(t, err)
	if now.DeletedAt != nil {
		t.Fatal("the record of another resource is ended")
	}
	jstest.Must(t, i.owner.End(jstest.Context(t), now))
	if now, _, err = Record(jstest.Context(t), i.client, naming.TargetKey(all.Key)); err != nil || now.DeletedAt == nil {
		t.Errorf("the record is not ended: %v", err)
	}
}

func TestARefusalChangesNothingElse(t *testing.T) {
	t.Parallel()
	i := install(t)
	key := naming.AddressKey(i.broker.Key)
	before, _, err := Record(jstest.Context(t), i.client, key)
	jstest.Must(t, err)
	for _, why := range []string{"a policy", "a policy", ""} {
		jstest.Must(t, i.owner.Refuse(jstest.Context(t), i.broker.Key, why))
		now, _, err := Record(jstest.Context(t), i.client, key)
		jstest.Must(t, err)
		want := *before.Address
		want.Refuse = why
		if !reflect.DeepEqual(*now.Address, want) {
			t.Errorf("refused for %q it is %+v, want %+v", why, *now.Address, want)
		}
	}
	if err := New(i.client, "another", shortGrace).Refuse(jstest.Context(t), i.broker.Key, "spite"); !errors.Is(err, ErrForeignRoute) {
		t.Errorf("another owner's refusal: error %v", err)
	}
	jstest.Must(t, i.owner.RemoveAddress(jstest.Context(t), i.broker.Key))
	jstest.Must(t, i.owner.Refuse(jstest.Context(t), i.broker.Key, "a policy"))
	if now, _, err := Record(jstest.Context(t), i.client, key); err != nil || now.DeletedAt == nil || now.Address.Refuse != "" {
		t.Errorf("what has ended is %+v, error %v", now, err)
	}
}

// A NATS of several servers keeps the routes when one of them is lost.
func TestBucketsHaveReplicasWhereThereAreServers(t *testing.T) {
	t.Parallel()
	c := dial(t, natstest.StartThree(t)[0])
	jstest.Must(t, buckets.Ensure(jstest.Context(t), c))
	jstest.Must(t, buckets.Ensure(jstest.Context(t), c)) // as often as anyone likes
	for _, name := range []string{c.Names().RoutesBucket(), c.Names().ReportsBucket(), c.Names().PositionsBucket()} {
		bucket, err := c.JetStream().KeyValue(jstest.Context(t), name)
		jstest.Must(t, err)
		status, err := bucket.Status(jstest.Context(t))
		jstest.Must(t, err)
		if n := status.(*natsjs.KeyValueBucketStatus).StreamInfo().Config.Replicas; n != 3 {
			t.Errorf("bucket %s has %d replicas", name, n)
		}
	}
}
