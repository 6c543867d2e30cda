package dataplane

import (
	"context"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/buckets"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/routes"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/naming"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/route"
	"github.com/eventing-jetstream/eventing-jetstream/test/natstest"
)

// A killed process leaves its report behind. A successor with the same id does not wait for its
// end.
func TestTheSameIDReplacesTheReportOfAKilledProcess(t *testing.T) {
	nats := natstest.Start(t, nil)
	client := connect(t, nats.URL())
	ctx, cancel := context.WithTimeout(t.Context(), route.ReportTTL/2)
	defer cancel()
	if err := buckets.Ensure(ctx, client); err != nil {
		t.Fatal(err)
	}

	killed := connect(t, nats.URL())
	reporter := routes.NewReporter(killed, func() route.Report {
		return route.Report{Role: route.RoleIngress, ID: "run", URL: "http://killed"}
	})
	reporter.Changed()
	dying, die := context.WithCancel(ctx)
	var running sync.WaitGroup
	running.Go(func() { reporter.Run(dying) })
	awaitReport(ctx, t, client, "http://killed")
	killed.Close() // so that it cannot withdraw its report
	die()
	running.Wait()

	started := make(chan route.Snapshot, 1)
	in, err := NewIngress(IngressConfig{
		Client: client, URL: "http://new", Logger: slog.New(slog.DiscardHandler), ID: "run",
		Started: func(s route.Snapshot) { started <- s },
	})
	must(t, err)
	following, stop := context.WithCancel(ctx)
	running.Go(func() { in.Run(following) })
	awaitReport(ctx, t, client, "http://new")
	if s := <-started; len(s.Addresses) != 0 {
		t.Errorf("it started with %d Brokers", len(s.Addresses))
	}
	stop()
	running.Wait()
}

func connect(t *testing.T, url string) *jetstream.Client {
	t.Helper()
	names, err := naming.New(naming.DefaultPrefix)
	if err != nil {
		t.Fatal(err)
	}
	client, err := jetstream.Connect(jetstream.Options{URL: url, Name: "test", Names: names, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	if err := client.Wait(ctx); err != nil {
		t.Fatal(err)
	}
	return client
}

// awaitReport waits until the only report is that of the ingress at the URL.
func awaitReport(ctx context.Context, t *testing.T, client *jetstream.Client, url string) {
	t.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		reports, err := buckets.Reports(ctx, client)
		if err == nil && len(reports.Live) == 1 && reports.Live[0].URL == url {
			return
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			t.Fatalf("the reports are %+v, %v; want one of %s", reports, err, url)
		}
	}
}
