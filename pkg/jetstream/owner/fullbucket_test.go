package owner

import (
	"fmt"
	"strings"
	"testing"
	"time"

	natsjs "github.com/nats-io/nats.go/jetstream"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/buckets"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/internal/jstest"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/routes"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/route"
)

// bucketState is what the server says of the bucket.
func (i *installation) bucketState(name string) *natsjs.StreamInfo {
	i.t.Helper()
	stream, err := i.client.JetStream().Stream(jstest.Context(i.t), jetstream.BucketStream(name))
	jstest.Must(i.t, err)
	return stream.CachedInfo()
}

// waiting is a Trigger without a cursor, whose record alone takes a part of what the routes bucket reserves.
func (i *installation) waiting(n int) route.Target {
	target := i.trigger(fmt.Sprintf("waiting-%d", n))
	target.Consumer, target.NotReady = "", "it waits"
	target.Subscriber.URL = "http://subscriber.example/" + strings.Repeat("x", buckets.RoutesReserve/50)
	return target
}

// Whoever writes a route makes room for it: nobody else may come by for a long time.
func TestTheRoutesBucketGrowsWithItsRoutes(t *testing.T) {
	t.Parallel()
	const many = 60 // more than the bucket takes at first; with the edits, more than twice of that
	i := install(t)
	for n := range many {
		_, err := i.owner.PutTarget(jstest.Context(t), i.waiting(n))
		jstest.Must(t, err)
	}
	for n := range many {
		edited := i.waiting(n)
		edited.Subscriber.URL += strings.Repeat("y", buckets.RoutesReserve/50)
		_, err := i.owner.PutTarget(jstest.Context(t), edited)
		jstest.Must(t, err)
	}
	for n := range many {
		jstest.Must(t, i.owner.RemoveTarget(jstest.Context(t), i.waiting(n).Key))
	}
	jstest.Await(t, "all are swept", func() bool { return i.owner.Sweep(jstest.Context(t)) == nil })
	if state := i.bucketState(i.client.Names().RoutesBucket()); state.Config.MaxBytes < int64(state.State.Bytes) { //nolint:gosec // small
		t.Errorf("the bucket has a limit of %d bytes and holds %d", state.Config.MaxBytes, state.State.Bytes)
	}
}

// The smallest changes must be possible in a bucket that is full to the last byte: a write by hand may have filled it.
func TestAFullRoutesBucketTakesEveryKindOfChange(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		do   func(*installation, route.Target) error
	}{
		{"put a Trigger", func(i *installation, _ route.Target) error {
			_, err := i.owner.PutTarget(jstest.Context(i.t), i.trigger("another"))
			return err
		}},
		{"put a Broker", func(i *installation, _ route.Target) error {
			_, err := i.owner.PutAddress(jstest.Context(i.t), brokerOf("another", 1<<20))
			return err
		}},
		{"remove a Trigger", func(i *installation, one route.Target) error {
			return i.owner.RemoveTarget(jstest.Context(i.t), one.Key)
		}},
		{"refuse events", func(i *installation, _ route.Target) error {
			return i.owner.Refuse(jstest.Context(i.t), i.broker.Key, "it is late")
		}},
		{"end what has no record", func(i *installation, _ route.Target) error {
			target := i.trigger("unrecorded")
			target.Owner = "tests"
			return i.owner.End(jstest.Context(i.t), routes.StoredRecord{Record: route.Record{Target: &target}})
		}},
		{"purge a record", func(i *installation, one route.Target) error {
			r, _, err := Record(jstest.Context(i.t), i.client, routes.RecordKey(route.Record{Target: &one}))
			jstest.Must(i.t, err)
			return i.owner.purgeRecord(jstest.Context(i.t), r)
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			i := install(t)
			one := i.put(i.trigger("one"))
			i.fillBucket(i.client.Names().RoutesBucket())
			jstest.Must(t, c.do(i, one))
		})
	}
}

func TestAFullPositionsBucketTakesMore(t *testing.T) {
	t.Parallel()
	i := install(t)
	own := i.put(i.alone("own"))
	i.fillBucket(i.client.Names().PositionsBucket())
	i.put(i.alone("another"))
	i.fillBucket(i.client.Names().PositionsBucket())
	jstest.Must(t, i.owner.RemoveTarget(jstest.Context(t), own.Key))
	i.sweep()
	if i.has(own) {
		t.Error("the removed Trigger has its consumer")
	}
}

// fillBucket writes keys by hand until not even the smallest fits.
func (i *installation) fillBucket(name string) {
	i.t.Helper()
	bucket, err := i.client.JetStream().KeyValue(jstest.Context(i.t), name)
	jstest.Must(i.t, err)
	for n, size := 0, 64<<10; size > 0; n++ {
		_, err := bucket.Put(jstest.Context(i.t), fmt.Sprintf("by-hand.%d", n), make([]byte, size))
		if jetstream.IsLogFull(err) {
			size /= 4
			continue
		}
		jstest.Must(i.t, err)
	}
}

func TestRoutesThatAreOverLeaveNothingInTheBucket(t *testing.T) {
	t.Parallel()
	const many = 20
	i := install(t, func(c *jetstream.Client) { c.Timing().RouteMarkerTTL = time.Second })
	before := i.bucketState(i.client.Names().RoutesBucket()).State
	table := i.watch(dial(t, i.server)).table
	for n := range many {
		_, err := i.owner.PutTarget(jstest.Context(t), i.waiting(n))
		jstest.Must(t, err)
		jstest.Must(t, i.owner.RemoveTarget(jstest.Context(t), i.waiting(n).Key))
	}
	i.sweep()
	jstest.Await(t, "the watch hears that they are swept", func() bool { return len(table.Snapshot().Swept) == many })
	i.owner.grace = -tombstoneLife - time.Hour // that much later
	i.sweep()
	jstest.Await(t, "the watch hears that they are gone", func() bool { return len(table.Snapshot().Swept) == 0 })
	jstest.Await(t, "the bucket holds what it did before", func() bool {
		now := i.bucketState(i.client.Names().RoutesBucket()).State
		return now.Msgs == before.Msgs && now.Bytes <= before.Bytes
	})
}
