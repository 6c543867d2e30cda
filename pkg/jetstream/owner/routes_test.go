package owner

import (
	"context"
	"fmt"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	natsjs "github.com/nats-io/nats.go/jetstream"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/buckets"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/internal/jstest"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/routes"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/naming"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/route"
)

// watcher is a data-plane process that does nothing but watch the routes.
type watcher struct {
	table *route.Table
	syncs atomic.Int64
}

// watch runs until the test ends.
func (i *installation) watch(c *jetstream.Client) *watcher {
	i.t.Helper()
	w := &watcher{table: route.NewTable()}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		routes.Watch(ctx, c, w.table, func() { w.syncs.Add(1) })
	}()
	i.t.Cleanup(func() {
		cancel()
		<-done
	})
	jstest.Await(i.t, "the first full sync", func() bool { return w.syncs.Load() > 0 })
	return w
}

func (w *watcher) knows(key route.TargetKey) bool {
	_, ok := w.table.Snapshot().Targets[key]
	return ok
}

func (i *installation) routes() natsjs.KeyValue {
	i.t.Helper()
	bucket, err := i.client.JetStream().KeyValue(jstest.Context(i.t), i.client.Names().RoutesBucket())
	jstest.Must(i.t, err)
	return bucket
}

func TestTheWatchAppliesRoutesAndTombstones(t *testing.T) {
	t.Parallel()
	i := install(t)
	before := i.put(i.trigger("before"))
	w := i.watch(dial(t, i.server))
	if _, ok := w.table.Address(i.broker.Key); !ok || !w.knows(before.Key) {
		t.Error("what was there is not known after the first sync")
	}
	after, err := i.owner.PutTarget(jstest.Context(t), i.trigger("after"))
	jstest.Must(t, err)
	jstest.Await(t, "the new route", func() bool { return w.knows(i.trigger("after").Key) })
	if have := w.table.Snapshot().Revision; have < after.Revision {
		t.Errorf("the watermark is %d, want %d or more", have, after.Revision)
	}
	changed := i.trigger("after")
	changed.MaxInFlight = 7
	i.put(changed)
	jstest.Await(t, "the changed route", func() bool { return w.table.Snapshot().Targets[changed.Key].MaxInFlight == 7 })

	jstest.Must(t, i.owner.RemoveTarget(jstest.Context(t), before.Key))
	jstest.Must(t, i.owner.RemoveAddress(jstest.Context(t), i.broker.Key))
	jstest.Await(t, "the end of two routes", func() bool {
		_, ok := w.table.Address(i.broker.Key)
		return !ok && !w.knows(before.Key)
	})
}

func TestWithoutABucketTheWatchWaits(t *testing.T) {
	t.Parallel()
	i := install(t)
	jstest.Must(t, i.client.JetStream().DeleteKeyValue(jstest.Context(t), i.client.Names().RoutesBucket()))
	table := route.NewTable()
	ctx, cancel := context.WithCancel(t.Context())
	synced := make(chan struct{}, 9)
	done := make(chan struct{})
	go func() {
		defer close(done)
		routes.Watch(ctx, i.client, table, func() { synced <- struct{}{} })
	}()
	select {
	case <-synced:
		t.Error("synced without a bucket")
	default:
	}
	jstest.Must(t, buckets.Ensure(jstest.Context(t), i.client))
	<-synced
	cancel()
	<-done
}

func TestARouteStaysWhenItsKeyOrBucketIsDeleted(t *testing.T) {
	t.Parallel()
	i := install(t)
	all := i.put(i.trigger("all"))
	w := i.watch(dial(t, i.server, brisk))
	jstest.Must(t, i.routes().Delete(jstest.Context(t), naming.TargetKey(all.Key)))
	i.put(i.trigger("second"))
	jstest.Await(t, "the watch has come past the deletion", func() bool { return w.knows(i.trigger("second").Key) })
	if !w.knows(all.Key) {
		t.Fatal("a deleted key has ended a route")
	}
	high := w.table.Snapshot().Revision

	syncs := w.syncs.Load()
	jstest.Must(t, i.client.JetStream().DeleteKeyValue(jstest.Context(t), i.client.Names().RoutesBucket()))
	jstest.Must(t, buckets.Ensure(jstest.Context(t), i.client))
	jstest.Await(t, "the watch has found the new bucket", func() bool { return w.syncs.Load() > syncs })
	i.put(i.trigger("third"))
	jstest.Await(t, "the route in the new bucket", func() bool { return w.knows(i.trigger("third").Key) })
	if _, ok := w.table.Address(i.broker.Key); !ok || !w.knows(all.Key) {
		t.Error("a deleted bucket has ended a route")
	}
	// The revisions count from 1 again: with the old watermark it would claim to have applied what it has never seen.
	if have := w.table.Snapshot().Revision; have >= high {
		t.Errorf("the watermark is still %d, want that of the new bucket", have)
	}
}

func TestARecordThatCannotBeReadIsAFailureAndTheOldOneStays(t *testing.T) {
	t.Parallel()
	i := install(t)
	all := i.put(i.trigger("all"))
	w := i.watch(dial(t, i.server))
	key := naming.TargetKey(all.Key)
	other, _, err := Record(jstest.Context(t), i.client, naming.AddressKey(i.broker.Key))
	jstest.Must(t, err)
	misplaced, err := other.Encode()
	jstest.Must(t, err)
	for _, c := range []struct {
		name, value, want string
	}{
		{"no JSON", "{", "not a route record"},
		{"neither address nor target", "{}", "either an address or a target"},
		{"a record of another key", string(misplaced), "the record is about address."},
		{"a record of a later format", `{"format":2,"target":{}}`, "it has format 2"},
	} {
		revision, err := i.routes().Put(jstest.Context(t), key, []byte(c.value))
		jstest.Must(t, err)
		jstest.Await(t, c.name, func() bool { return w.table.Snapshot().Revision >= revision })
		if why := w.table.Snapshot().Failures[key]; !strings.Contains(why, c.want) {
			t.Errorf("%s: the failure is %q, want one with %q", c.name, why, c.want)
		}
		if !w.knows(all.Key) {
			t.Errorf("%s: the route has ended", c.name)
		}
	}
	i.put(all)
	jstest.Await(t, "the record is good again", func() bool { return len(w.table.Snapshot().Failures) == 0 })
	_, err = i.routes().Put(jstest.Context(t), "nonsense", []byte("{"))
	jstest.Must(t, err)
	jstest.Await(t, "a failure", func() bool { return len(w.table.Snapshot().Failures) == 1 })
	jstest.Must(t, i.routes().Delete(jstest.Context(t), "nonsense"))
	jstest.Await(t, "the end of the failure", func() bool { return len(w.table.Snapshot().Failures) == 0 })
}

func TestTheWatchSurvivesARestartOfTheServer(t *testing.T) {
	t.Parallel()
	i := install(t)
	c := dial(t, i.server)
	w := i.watch(c)
	i.server.Stop()
	jstest.Await(t, "the outage is noticed", func() bool { return !c.Connected() })
	if _, ok := w.table.Address(i.broker.Key); !ok {
		t.Error("an outage has ended a route")
	}
	i.server.Restart()
	jstest.Await(t, "the owner is back", i.client.Connected)
	jstest.Await(t, "all is read again", func() bool { return w.syncs.Load() > 1 })
	i.put(i.trigger("after"))
	jstest.Await(t, "a route put after the restart", func() bool { return w.knows(i.trigger("after").Key) })
}

// nats.go leaves a goroutine behind for a watch that is given up with entries still to come.
func TestAWatchThatIsGivenUpLeavesNothingBehind(t *testing.T) {
	i := install(t)
	bucket := i.routes()
	for n := range 600 {
		_, err := bucket.Put(jstest.Context(t), fmt.Sprintf("filler.%d", n), []byte("{"))
		jstest.Must(t, err)
	}
	before := runtime.NumGoroutine()
	for range 30 {
		ctx, cancel := context.WithCancel(t.Context())
		_ = i.client.ReadBucket(ctx, i.client.Names().RoutesBucket(), jetstream.BucketRead{Filter: ">", Each: func(natsjs.KeyValueEntry) {
			if ctx.Err() == nil {
				<-time.After(50 * time.Millisecond) // until more has come than the watch takes unread
			}
			cancel()
		}})
		cancel()
	}
	jstest.Await(t, "the goroutines of 30 watches have ended", func() bool { return runtime.NumGoroutine() <= before+3 })
}

func TestRecordsAreReadFromTheServer(t *testing.T) {
	t.Parallel()
	i := install(t)
	all := i.put(i.trigger("all"))
	jstest.Must(t, i.owner.RemoveTarget(jstest.Context(t), all.Key))
	i.put(i.trigger("other"))
	records, err := routes.Records(jstest.Context(t), i.client, "")
	jstest.Must(t, err)
	if len(records) != 3 {
		t.Errorf("got %d records, want the address, a target and a tombstone", len(records))
	}
	records, err = routes.Records(jstest.Context(t), i.client, naming.TargetKey(all.Key))
	jstest.Must(t, err)
	if len(records) != 1 || records[0].DeletedAt == nil || records[0].Target.Key != all.Key {
		t.Errorf("got %+v, want the tombstone", records)
	}
	i.server.Stop()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := routes.Records(ctx, i.client, ""); err == nil {
		t.Error("without a server the records are said to be none")
	}
}

// Two owners of one name write the same key at the same time; each write is a whole one, and none is lost unseen.
func TestPutRecordComparesAndSets(t *testing.T) {
	t.Parallel()
	i := install(t)
	target := i.trigger("all")
	target.Owner = "tests"
	revisions := make(chan uint64, 20)
	for n := range 20 {
		go func() {
			mine := target
			mine.MaxInFlight = n + 1
			at, err := i.owner.PutRecord(context.WithoutCancel(t.Context()), route.Record{Target: &mine})
			if err != nil {
				t.Error(err)
			}
			revisions <- at.Revision
		}()
	}
	seen := map[uint64]bool{}
	for range 20 {
		seen[<-revisions] = true
	}
	if len(seen) != 20 {
		t.Errorf("20 different records stand at %d revisions", len(seen))
	}
}
