package owner

import (
	"errors"
	"fmt"
	"sync/atomic"
	"testing"

	"github.com/nats-io/nats-server/v2/server"
	natsjs "github.com/nats-io/nats.go/jetstream"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/ingress"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/buckets"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/internal/jstest"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/routes"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/trim"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/route"
	"github.com/eventing-jetstream/eventing-jetstream/test/natstest"
)

// bucketInfo is what the server says of a bucket's stream.
func bucketInfo(t *testing.T, c *jetstream.Client, name string) *natsjs.StreamInfo {
	t.Helper()
	stream, err := c.JetStream().Stream(jstest.Context(t), jetstream.BucketStream(name))
	jstest.Must(t, err)
	return stream.CachedInfo()
}

// Any server answers a direct read, also one that is behind.
func TestNoBucketAnswersDirectly(t *testing.T) {
	t.Parallel()
	c := dial(t, natstest.Start(t, nil))
	names := []string{c.Names().RoutesBucket(), c.Names().ReportsBucket(), c.Names().PositionsBucket(), c.Names().EventTypesBucket()}
	for _, name := range names[1:] {
		_, err := c.JetStream().CreateKeyValue(jstest.Context(t), natsjs.KeyValueConfig{Bucket: name})
		jstest.Must(t, err)
	}
	jstest.Must(t, buckets.Ensure(jstest.Context(t), c))
	jstest.Must(t, buckets.NewEventTypes(c).EnsureEventTypes(jstest.Context(t)))
	for _, name := range names {
		if bucketInfo(t, c, name).Config.AllowDirect {
			t.Errorf("bucket %s answers direct reads", name)
		}
	}
}

func TestReportsAreInMemoryWhereThereIsAny(t *testing.T) {
	t.Parallel()
	none := server.JetStreamAccountLimits{MaxStore: -1, MaxMemory: 0, MaxStreams: -1, MaxConsumers: -1}
	some := server.JetStreamAccountLimits{MaxStore: -1, MaxMemory: 1 << 20, MaxStreams: -1, MaxConsumers: -1}
	for _, c := range []struct {
		name   string
		limits map[string]server.JetStreamAccountLimits
		// taken is a server whose memory is all reserved by others.
		taken  bool
		ensure func(*jetstream.Client) error
		want   natsjs.StorageType
	}{
		{"an account without a limit", nil, false, func(c *jetstream.Client) error { return buckets.Ensure(t.Context(), c) }, natsjs.MemoryStorage},
		{"an account with some", map[string]server.JetStreamAccountLimits{"": some}, false,
			func(c *jetstream.Client) error { return buckets.Ensure(t.Context(), c) }, natsjs.MemoryStorage},
		{"an account with none", map[string]server.JetStreamAccountLimits{"": none}, false,
			func(c *jetstream.Client) error { return buckets.Ensure(t.Context(), c) }, natsjs.FileStorage},
		{"tiers with some", map[string]server.JetStreamAccountLimits{"R1": some, "R3": some}, false,
			func(c *jetstream.Client) error { return buckets.Ensure(t.Context(), c) }, natsjs.MemoryStorage},
		{"a server without room", nil, true, func(c *jetstream.Client) error { return buckets.Ensure(t.Context(), c) }, natsjs.FileStorage},
		{"an owner that does not stay", nil, false, func(c *jetstream.Client) error { return buckets.Make(t.Context(), c) }, natsjs.FileStorage},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := natstest.Start(t, func(o *server.Options) { o.JetStreamMaxMemory = 8 << 20 })
			if c.limits != nil {
				jstest.Must(t, s.NATS().GlobalAccount().UpdateJetStreamLimits(c.limits))
			}
			client := dial(t, s)
			if c.taken {
				_, err := client.JetStream().CreateStream(jstest.Context(t), natsjs.StreamConfig{Name: "OTHERS", MaxBytes: 8 << 20, Storage: natsjs.MemoryStorage})
				jstest.Must(t, err)
			}
			jstest.Must(t, c.ensure(client))
			first := bucketInfo(t, client, client.Names().ReportsBucket())
			if first.Config.Storage != c.want {
				t.Errorf("the reports are in %s storage, want %s", first.Config.Storage, c.want)
			}
			jstest.Must(t, c.ensure(client))
			if again := bucketInfo(t, client, client.Names().ReportsBucket()); !again.Created.Equal(first.Created) {
				t.Error("the bucket is made anew each time")
			}
			for _, name := range []string{client.Names().RoutesBucket(), client.Names().PositionsBucket()} {
				if have := bucketInfo(t, client, name).Config.Storage; have != natsjs.FileStorage {
					t.Errorf("bucket %s is in %s storage", name, have)
				}
			}
		})
	}
}

// Storage cannot be changed in place.
func TestReportsMoveIntoMemory(t *testing.T) {
	t.Parallel()
	c := dial(t, natstest.Start(t, nil))
	jstest.Must(t, buckets.Make(jstest.Context(t), c))
	jstest.Must(t, buckets.Ensure(jstest.Context(t), c))
	if have := bucketInfo(t, c, c.Names().ReportsBucket()).Config.Storage; have != natsjs.MemoryStorage {
		t.Errorf("the reports are in %s storage", have)
	}
	reports, err := buckets.Reports(jstest.Context(t), c)
	jstest.Must(t, err)
	if reports.Lost.IsZero() {
		t.Error("nothing says that the reports of the former bucket are lost")
	}
	jstest.Must(t, buckets.Make(jstest.Context(t), c))
	if have := bucketInfo(t, c, c.Names().ReportsBucket()).Config.Storage; have != natsjs.MemoryStorage {
		t.Errorf("an owner that does not stay has moved the reports into %s storage", have)
	}
}

// What routes reserve grows with them.
func TestTheRoutesBucketGrows(t *testing.T) {
	t.Parallel()
	i := install(t)
	target := i.trigger("all")
	for n := range 20 {
		target.Key.Name, target.Owner, target.NotReady = fmt.Sprint("t-", n), "tests", string(make([]byte, 30<<10))
		_, err := i.owner.PutRecord(jstest.Context(t), route.Record{Target: &target})
		jstest.Must(t, err)
	}
	if info := bucketInfo(t, i.client, i.client.Names().RoutesBucket()); info.Config.MaxBytes < int64(info.State.Bytes) {
		t.Errorf("%d bytes of %d are used", info.State.Bytes, info.Config.MaxBytes)
	}
}

// fillStore stores messages until NATS has no room left for anything in files: not one stream is full, all of them together are.
func fillStore(t *testing.T, c *jetstream.Client) {
	t.Helper()
	_, err := c.JetStream().CreateStream(jstest.Context(t), natsjs.StreamConfig{Name: "OTHERS", Subjects: []string{"others"}})
	jstest.Must(t, err)
	jstest.Await(t, "the store is exhausted", func() bool {
		_, err := c.JetStream().Publish(jstest.Context(t), "others", make([]byte, 512<<10))
		if err != nil && !jetstream.IsStorageExhausted(err) {
			t.Fatal(err)
		}
		return err != nil
	})
}

// When others have taken all there is, routes cannot be written, and whoever wants to is told why. What the data plane needs to go on,
// so that room is freed, works: reading routes, reporting, trimming.
func TestAnExhaustedStoreStopsOnlyWhatNeedsIt(t *testing.T) {
	t.Parallel()
	s := natstest.Start(t, func(o *server.Options) { o.JetStreamMaxStore = 16 << 20 })
	c := dial(t, s)
	jstest.Must(t, buckets.Ensure(t.Context(), c))
	i := &installation{t: t, server: s, client: c, owner: New(c, "tests", shortGrace), broker: brokerOf("orders", 4<<20)}
	i.putBroker()
	all := i.put(i.trigger("all"))
	i.publish(0, 10, "a")
	source := open(t, c, all, 10)
	fillStore(t, c)

	r := routes.NewReporter(c, func() route.Report { return route.Report{Role: route.RoleFilter, ID: "f", Revision: 1} })
	jstest.Must(t, r.Write(jstest.Context(t), "filter.f", r.State()))
	latest, err := buckets.LatestReports(jstest.Context(t), c)
	jstest.Must(t, err)
	if len(latest.Live) != 1 {
		t.Errorf("the reports are %+v", latest.Live)
	}
	if records, err := routes.Records(jstest.Context(t), c, ""); err != nil || len(records) != 2 {
		t.Errorf("%d records, error %v", len(records), err)
	}
	changed := all
	changed.MaxInFlight = 7
	if _, err := i.owner.PutTarget(jstest.Context(t), changed); !jetstream.IsStorageExhausted(err) {
		t.Errorf("a changed Trigger: error %v, want one that says that there is no room", err)
	}
	if err := i.owner.RemoveTarget(jstest.Context(t), all.Key); !jetstream.IsStorageExhausted(err) {
		t.Errorf("a removed Trigger: error %v, want one that says that there is no room", err)
	}
	takeAll(t, source, 0, 10)
	i.consumerIsDone(all)
	trimmed, err := trim.Once(jstest.Context(t), c, i.broker, 1)
	jstest.Must(t, err)
	if trimmed == 0 {
		t.Error("the log is not trimmed")
	}
	others, err := c.JetStream().Stream(jstest.Context(t), "OTHERS")
	jstest.Must(t, err)
	jstest.Must(t, others.Purge(jstest.Context(t)))
	i.put(changed)
}

// Logs are bounded, and the routes have room of their own beside them.
func TestRoutesChangeWhileLogsAreFull(t *testing.T) {
	t.Parallel()
	s := natstest.Start(t, func(o *server.Options) { o.JetStreamMaxStore = 16 << 20 })
	c := dial(t, s)
	jstest.Must(t, buckets.Ensure(t.Context(), c))
	i := &installation{t: t, server: s, client: c, owner: New(c, "tests", shortGrace), broker: brokerOf("orders", 16<<20)}
	_, err := i.owner.PutAddress(jstest.Context(t), i.broker)
	if !jetstream.IsStorageExhausted(err) {
		t.Fatalf("a log as large as the store: error %v, want one that says that there is no room", err)
	}
	i.broker = brokerOf("orders", (16<<20-buckets.RoutesReserve-buckets.PositionsReserve)/5*4) // dead letters have a quarter of the log's room
	i.putBroker()
	first, second := i.put(i.trigger("first")), i.put(i.trigger("second"))
	var published atomic.Int64
	publisher := publisherOf(t, c)
	jstest.Await(t, "the log is full", func() bool {
		m := jstest.Message(fmt.Sprint(published.Add(1)), "a")
		m.Event.Data = make([]byte, 256<<10)
		_, err := publisher.Publish(jstest.Context(t), i.broker, []ingress.Message{m})
		if err != nil && !errors.Is(err, ingress.ErrLogFull) {
			t.Fatal(err)
		}
		return err != nil
	})
	first.MaxInFlight = 7
	i.put(first)
	jstest.Must(t, i.owner.RemoveTarget(jstest.Context(t), second.Key))
	i.put(i.trigger("third"))
	jstest.Must(t, i.owner.RemoveAddress(jstest.Context(t), i.broker.Key))
}
