package owner

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/buckets"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/internal/jstest"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/routes"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/route"
	"github.com/eventing-jetstream/eventing-jetstream/test/natstest"
)

// report runs a reporter whose revision the test sets; stop ends it.
func report(c *jetstream.Client, id string, revision *atomic.Uint64) (r *routes.Reporter, stop func()) {
	r = routes.NewReporter(c, func() route.Report {
		return route.Report{Role: route.RoleFilter, ID: id, Revision: revision.Load(), Failures: map[string]string{"target.x": "why"}}
	})
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		r.Run(ctx)
	}()
	return r, func() {
		cancel()
		<-done
	}
}

func (i *installation) reports() []route.Report {
	i.t.Helper()
	reports, err := buckets.Reports(jstest.Context(i.t), i.client)
	jstest.Must(i.t, err)
	return reports.Live
}

// keepBuckets sweeps until the test ends, as an owner that stays does.
func (i *installation) keepBuckets() {
	i.t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		i.owner.RunSweeps(ctx, 50*time.Millisecond)
	}()
	i.t.Cleanup(func() {
		cancel()
		<-done
	})
}

func TestAReporterSaysWhatChangedAndWithdraws(t *testing.T) {
	t.Parallel()
	i := install(t)
	var revision atomic.Uint64
	revision.Store(7)
	r, stop := report(i.client, "one", &revision)
	if n := len(i.reports()); n != 0 {
		t.Fatalf("%d reports before the first sync", n)
	}
	r.Changed()
	jstest.Await(t, "the first report", func() bool { return len(i.reports()) == 1 })
	if have := i.reports()[0]; have.Revision != 7 || have.ID != "one" || have.Failures["target.x"] != "why" {
		t.Errorf("the report is %+v", have)
	}
	revision.Store(8)
	r.Changed()
	jstest.Await(t, "the change", func() bool { return i.reports()[0].Revision == 8 })

	_, stopOther := report(i.client, "never synced", &revision)
	stopOther()
	stop()
	if have := i.reports(); len(have) != 0 {
		t.Errorf("%v are left after the process has ended", have)
	}
}

func TestAReportOfAKilledProcessExpires(t *testing.T) {
	t.Parallel()
	i := install(t, brisk)
	victim := dial(t, i.server)
	var revision atomic.Uint64
	r, stop := report(victim, "victim", &revision)
	defer stop()
	r.Changed()
	jstest.Await(t, "the report", func() bool { return len(i.reports()) == 1 })
	kill(victim)
	jstest.Await(t, "its end", func() bool { return len(i.reports()) == 0 })
}

func TestAReporterGoesOnAfterAnOutage(t *testing.T) {
	t.Parallel()
	i := install(t)
	var revision atomic.Uint64
	r, stop := report(i.client, "one", &revision)
	defer stop()
	r.Changed()
	jstest.Await(t, "the first report", func() bool { return len(i.reports()) == 1 })
	i.keepBuckets()
	i.server.Stop()
	revision.Store(5)
	r.Changed()
	i.restart()
	jstest.Await(t, "what changed meanwhile", func() bool {
		// A server that has just started takes connections before its JetStream answers: a question may be lost, and is asked again.
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		reports, err := buckets.Reports(ctx, i.client)
		return err == nil && len(reports.Live) == 1 && reports.Live[0].Revision == 5
	})
}

func TestAReportThatCannotBeReadIsOfAProcessThatHasAppliedNothing(t *testing.T) {
	t.Parallel()
	i := install(t)
	bucket, err := i.client.JetStream().KeyValue(jstest.Context(t), i.client.Names().ReportsBucket())
	jstest.Must(t, err)
	_, err = bucket.Put(jstest.Context(t), "filter.x", []byte("{"))
	jstest.Must(t, err)
	have := i.reports()
	if len(have) != 1 || have[0].Role != route.RoleFilter || have[0].ID != "x" || have[0].Past(route.Place{Bucket: time.Now()}) {
		t.Errorf("got %+v", have)
	}
}

// A report that there is no bucket for is as good as written where nobody can have made the bucket elsewhere.
func TestNobodyAsksForReportsWithoutABucket(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name    string
		servers func() *natstest.Server
		deleted func(*jetstream.Client) []string
		want    bool
	}{
		{"the bucket is there", func() *natstest.Server { return natstest.Start(t, nil) }, func(*jetstream.Client) []string { return nil }, false},
		{"it is gone", func() *natstest.Server { return natstest.Start(t, nil) },
			func(c *jetstream.Client) []string { return []string{c.Names().ReportsBucket()} }, true},
		{"the routes are gone, too", func() *natstest.Server { return natstest.Start(t, nil) },
			func(c *jetstream.Client) []string {
				return []string{c.Names().ReportsBucket(), c.Names().RoutesBucket()}
			}, false},
		{"it is gone in a cluster", func() *natstest.Server { return natstest.StartThree(t)[0] },
			func(c *jetstream.Client) []string { return []string{c.Names().ReportsBucket()} }, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			client := dial(t, c.servers())
			jstest.Must(t, buckets.Ensure(jstest.Context(t), client))
			for _, name := range c.deleted(client) {
				jstest.Must(t, client.JetStream().DeleteKeyValue(jstest.Context(t), name))
			}
			r := routes.NewReporter(client, func() route.Report { return route.Report{Role: route.RoleFilter, ID: "f"} })
			if have := r.NobodyAsks(jstest.Context(t), r.Write(jstest.Context(t), "filter.f", r.State())); have != c.want {
				t.Errorf("nobody asks: %v, want %v", have, c.want)
			}
		})
	}
}
