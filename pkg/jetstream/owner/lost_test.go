package owner

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	natsjs "github.com/nats-io/nats.go/jetstream"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/buckets"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/internal/jstest"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/routes"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/status"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/route"
	"github.com/eventing-jetstream/eventing-jetstream/test/natstest"
)

// putReport writes one report, as a process does that then says no more.
func (i *installation) putReport(id string, at route.Place) {
	i.t.Helper()
	r := routes.NewReporter(i.client, nil)
	report := route.Report{Role: route.RoleFilter, ID: id, Revision: at.Revision, Bucket: at.Bucket}
	jstest.Must(i.t, r.Write(jstest.Context(i.t), "filter."+id, report))
}

// readReports reads the reports in both ways, which must not differ.
func (i *installation) readReports() route.Reports {
	i.t.Helper()
	reports, err := buckets.Reports(jstest.Context(i.t), i.client)
	jstest.Must(i.t, err)
	latest, err := buckets.LatestReports(jstest.Context(i.t), i.client)
	jstest.Must(i.t, err)
	if len(reports.Live) != len(latest.Live) || reports.Lost.IsZero() != latest.Lost.IsZero() {
		i.t.Errorf("one reader sees %+v, the other %+v", reports, latest)
	}
	return latest
}

// targetStatus is what a reader without a memory says of a target.
func (i *installation) targetStatus(key route.TargetKey) status.TargetStatus {
	i.t.Helper()
	all, err := status.Read(jstest.Context(i.t), i.client)
	jstest.Must(i.t, err)
	for _, target := range all.Targets {
		if target.Key == key {
			return target
		}
	}
	i.t.Fatalf("no status of %s", key)
	return status.TargetStatus{}
}

// What was reported may be lost, by a restart of the server or of all that hold the bucket. Then nobody is said to be gone, and nothing is
// ready on the word of the first process that reports again.
func TestLostReportsAreNoReports(t *testing.T) {
	t.Parallel()
	for name, lose := range map[string]func(*installation){
		"the server restarted": func(i *installation) {
			i.stop()
			i.restart()
			jstest.Await(i.t, "the server lacks the bucket", func() bool {
				reports, err := buckets.Reports(jstest.Context(i.t), i.client)
				return err == nil && !reports.Lost.IsZero()
			})
			if _, err := buckets.LatestReports(jstest.Context(i.t), i.client); !errors.Is(err, natsjs.ErrBucketNotFound) {
				i.t.Errorf("without a bucket the latest reports are said to be none, error %v", err)
			}
		},
		"the bucket was emptied": func(i *installation) {
			stream, err := i.client.JetStream().Stream(jstest.Context(i.t), jetstream.BucketStream(i.client.Names().ReportsBucket()))
			jstest.Must(i.t, err)
			jstest.Must(i.t, stream.Purge(jstest.Context(i.t)))
			if i.readReports().Lost.IsZero() {
				i.t.Error("nothing is lost before the owner has seen it")
			}
		},
		"the bucket was deleted": func(i *installation) {
			jstest.Must(i.t, i.client.JetStream().DeleteKeyValue(jstest.Context(i.t), i.client.Names().ReportsBucket()))
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			i := install(t)
			applied, err := i.owner.PutTarget(jstest.Context(t), i.trigger("all"))
			jstest.Must(t, err)
			key := i.trigger("all").Key
			i.putReport("a", applied.Place)
			i.putReport("b", applied.Place)
			if have := i.readReports(); !have.Lost.IsZero() || len(have.Live) != 2 {
				t.Errorf("in a new installation: %+v", have)
			}
			if have := i.targetStatus(key); !have.Ready {
				t.Errorf("it is not ready: %s", have.Reason)
			}
			lose(i)
			jstest.Must(t, buckets.Ensure(jstest.Context(t), i.client))
			if have := i.targetStatus(key); have.Ready || !strings.Contains(have.Reason, "lost the reports") {
				t.Errorf("ready %t, reason %q, want one that says that reports are lost", have.Ready, have.Reason)
			}
			i.putReport("a", applied.Place)
			if have := i.readReports(); have.Lost.IsZero() || len(have.Live) != 1 {
				t.Errorf("after the first report: %+v", have)
			}
			if have := i.targetStatus(key); have.Ready {
				t.Error("it is ready on the word of one of two")
			}
			jstest.Must(t, buckets.FirstReports(jstest.Context(t), i.client))
			if have := i.readReports(); !have.Lost.IsZero() || len(have.Live) != 1 {
				t.Errorf("nobody can have reported before: %+v", have)
			}
		})
	}
}

// After the time in which every process reports again the reports are whole, and they stay so: what says since when does not expire.
func TestLostReportsAreWholeAgain(t *testing.T) {
	t.Parallel()
	i := install(t, brisk)
	latest := func() route.Reports {
		reports, err := buckets.LatestReports(jstest.Context(t), i.client)
		jstest.Must(t, err)
		return reports
	}
	jstest.Must(t, i.client.JetStream().DeleteKeyValue(jstest.Context(t), i.client.Names().ReportsBucket()))
	jstest.Must(t, buckets.Ensure(jstest.Context(t), i.client))
	i.putReport("a", route.Place{})
	jstest.Await(t, "nothing is lost any more", func() bool { return latest().Lost.IsZero() })
	jstest.Await(t, "the report has expired", func() bool { return len(latest().Live) == 0 })
	jstest.Must(t, buckets.Ensure(jstest.Context(t), i.client))
	if have := latest(); !have.Lost.IsZero() {
		t.Error("the reports are lost again")
	}
}

func TestAReporterSaysWhyItFails(t *testing.T) {
	t.Parallel()
	i := install(t)
	var said lockedBuffer
	c := connectTo(t, jetstream.Options{URL: i.server.URL(), Logger: slog.New(slog.NewTextHandler(&said, nil)), Names: i.client.Names()})
	jstest.Must(t, c.Wait(jstest.Context(t)))
	jstest.Must(t, c.JetStream().DeleteKeyValue(jstest.Context(t), c.Names().ReportsBucket()))
	var tries atomic.Int64
	r := routes.NewReporter(c, func() route.Report {
		tries.Add(1)
		return route.Report{Role: route.RoleFilter, ID: "one"}
	})
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		r.Run(ctx)
	}()
	t.Cleanup(func() {
		cancel()
		<-done
	})
	if r.Err() != nil {
		t.Errorf("before the first report: error %v", r.Err())
	}
	r.Changed()
	jstest.Await(t, "three tries", func() bool { return tries.Load() >= 3 })
	if !errors.Is(r.Err(), natsjs.ErrBucketNotFound) || strings.Count(said.String(), "the report fails") != 1 {
		t.Errorf("error %v, the log is:\n%s", r.Err(), said.String())
	}
	jstest.Must(t, buckets.Ensure(jstest.Context(t), i.client))
	jstest.Await(t, "the report", func() bool { return r.Err() == nil })
	jstest.Await(t, "the log says so", func() bool { return strings.Contains(said.String(), "is written again") })
}

// In a cluster the bucket is there when its servers have restarted, and empty.
func TestReportsAreLostWhenAllServersRestart(t *testing.T) {
	t.Parallel()
	servers := natstest.StartThree(t)
	c := dial(t, servers[0])
	jstest.Must(t, buckets.Ensure(jstest.Context(t), c))
	i := &installation{t: t, client: c}
	i.putReport("a", route.Place{})
	if have := i.readReports(); !have.Lost.IsZero() || len(have.Live) != 1 {
		t.Errorf("in a new installation: %+v", have)
	}
	for _, s := range servers {
		s.Stop()
	}
	for _, s := range servers {
		s.Restart()
	}
	jstest.Await(t, "the owner has noted it", func() bool {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		return buckets.Ensure(ctx, c) == nil
	})
	var have route.Reports
	jstest.Await(t, "the reports are read", func() (read bool) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		var err error
		have, err = buckets.LatestReports(ctx, c)
		return err == nil
	})
	if have.Lost.IsZero() || len(have.Live) != 0 {
		t.Errorf("after the restart: %+v", have)
	}
}
