package owner

import (
	"testing"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/buckets"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/internal/jstest"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/routes"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/naming"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/route"
	"github.com/eventing-jetstream/eventing-jetstream/test/natstest"
)

// A bucket is on three servers, and two of them hear of a change a little later. What is read right after a write is that write,
// whichever server the reader is connected to.
func TestReadsSeeWhatWasWrittenOnAnyServer(t *testing.T) {
	t.Parallel()
	servers := natstest.StartThree(t)
	writer := dial(t, servers[0])
	owner := New(writer, "tests", shortGrace)
	jstest.Must(t, buckets.Ensure(jstest.Context(t), writer))
	var readers []*jetstream.Client
	for _, s := range servers {
		readers = append(readers, dial(t, s))
	}
	target := route.Target{Key: route.TargetKey{Address: brokerOf("orders", 0).Key, Namespace: "shop", Name: "all"}, Owner: "tests"}
	key := naming.TargetKey(target.Key)
	reporter := routes.NewReporter(writer, nil)
	staleGets, staleLists, staleEnds, staleReports := 0, 0, 0, 0
	const rounds = 200
	for n := range rounds {
		target.MaxInFlight = n + 1
		at, err := owner.PutRecord(t.Context(), route.Record{Target: &target})
		jstest.Must(t, err)
		for _, reader := range readers {
			if have, found, err := Record(t.Context(), reader, key); err != nil {
				t.Fatal(err)
			} else if !found || have.Revision < at.Revision {
				staleGets++
			}
		}
		reader := readers[n%len(readers)]
		target.MaxInFlight = -n
		at, err = owner.PutRecord(t.Context(), route.Record{Target: &target})
		jstest.Must(t, err)
		if have, err := routes.Records(t.Context(), reader, naming.TargetKeysOf(target.Key.Address)); err != nil {
			t.Fatal(err)
		} else if len(have) != 1 || have[0].Revision < at.Revision {
			staleLists++
		}
		target.MaxInFlight = rounds + n + 1
		at, err = owner.PutRecord(t.Context(), route.Record{Target: &target})
		jstest.Must(t, err)
		if end, _, err := routes.End(t.Context(), reader); err != nil {
			t.Fatal(err)
		} else if end < at.Revision {
			staleEnds++
		}
		report := route.Report{Role: route.RoleFilter, ID: "one", Revision: at.Revision}
		jstest.Must(t, reporter.Write(t.Context(), "filter.one", report))
		read := buckets.Reports
		if n%2 == 0 {
			read = buckets.LatestReports
		}
		if reports, err := read(t.Context(), reader); err != nil {
			t.Fatal(err)
		} else if len(reports.Live) != 1 || reports.Live[0].Revision < at.Revision {
			staleReports++
		}
	}
	if staleGets+staleLists+staleEnds+staleReports > 0 {
		t.Errorf("of %d each, %d gets, %d lists, %d ends of the routes bucket and %d lists of reports were stale",
			rounds, staleGets, staleLists, staleEnds, staleReports)
	}
}

// The consumer behind a watch is on one server. When that is gone, nats.go makes it again after it has missed heartbeats for ten to twenty
// seconds. The watch notices sooner that the leader has what it has not heard of.
func TestAWatchOutlivesTheServerOfItsConsumer(t *testing.T) {
	t.Parallel()
	servers := natstest.StartThree(t)
	writer := dial(t, servers[0])
	owner := New(writer, "tests", shortGrace)
	jstest.Must(t, buckets.Ensure(jstest.Context(t), writer))
	target := route.Target{Key: route.TargetKey{Address: brokerOf("orders", 0).Key, Namespace: "shop", Name: "all"}, Owner: "tests"}
	put := func(n int) {
		target.MaxInFlight = n
		jstest.Await(t, "a route is written", func() bool { _, err := owner.PutRecord(t.Context(), route.Record{Target: &target}); return err == nil })
	}
	put(1)
	stream, err := writer.JetStream().Stream(jstest.Context(t), jetstream.BucketStream(writer.Names().RoutesBucket()))
	jstest.Must(t, err)
	reader := dial(t, servers[1], brisk)
	var watchers []*watcher
	jstest.Await(t, "a watch has its consumer on the last server", func() bool {
		watchers = append(watchers, (&installation{t: t}).watch(reader))
		onLast := false
		for info := range stream.ListConsumers(jstest.Context(t)).Info() {
			onLast = onLast || info.Cluster.Leader == "server-2"
		}
		return onLast
	})
	servers[2].Stop()
	put(2)
	for _, w := range watchers {
		jstest.Await(t, "the change comes", func() bool { return w.table.Snapshot().Targets[target.Key].MaxInFlight == 2 })
	}
}
