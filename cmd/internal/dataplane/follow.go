package dataplane

import (
	"context"
	"sync"
	"sync/atomic"

	"go.opentelemetry.io/otel/metric"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/eventtype"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/routes"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/stats"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/route"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/telemetry"
)

// follower is what an ingress and a filter have in common: the routes that it follows, its report
// of what it has applied, what it has counted of them, and whether it is ready.
type follower struct {
	client     *jetstream.Client
	table      *route.Table
	eventTypes *eventtype.Recorder
	reporter   *routes.Reporter
	stats      stats.Process
	// started is called once, with the routes, when all of them are applied for the first time.
	started         func(route.Snapshot)
	synced, leaving atomic.Bool
}

// Ready reports whether every route has been applied, NATS can be reached, and nobody has asked
// the follower to leave.
func (f *follower) Ready() bool { return f.synced.Load() && f.client.Connected() && !f.leaving.Load() }

// Leave makes the follower not ready. An ingress then has clients make their next connection to
// another one, and goes on taking events.
func (f *follower) Leave() { f.leaving.Store(true) }

// Routes returns the routes as they are known now.
func (f *follower) Routes() route.Snapshot { return f.table.Snapshot() }

// showCounts exports the counts of the routes as metrics; follow answers for them under the id.
func (f *follower) showCounts(role route.Role, id string, meter metric.MeterProvider) error {
	f.stats = stats.Process{Client: f.client, Role: role, ID: id, Table: f.table}
	return telemetry.Observe(meter, role, f.table.Snapshot)
}

// inForce notes that the routes are applied.
func (f *follower) inForce(s route.Snapshot) {
	if first := !f.synced.Swap(true); first && f.started != nil {
		f.started(s)
	}
	f.reporter.Changed()
}

// follow applies the routes after their first full read and after every change, beside the loops,
// until ctx ends and all of them have returned.
func (f *follower) follow(ctx context.Context, apply func(context.Context, route.Snapshot), loops ...func(context.Context)) {
	var running sync.WaitGroup
	for _, loop := range append(loops, f.eventTypes.Run, f.stats.Answer) {
		running.Go(func() { loop(ctx) })
	}
	complete := make(chan struct{})
	once := sync.OnceFunc(func() { close(complete) })
	running.Go(func() { routes.Watch(ctx, f.client, f.table, once) })
	select {
	case <-complete:
	case <-ctx.Done():
	}
	for ctx.Err() == nil {
		snapshot := f.table.Snapshot()
		apply(ctx, snapshot)
		select {
		case <-snapshot.Changed:
		case <-ctx.Done():
		}
	}
	running.Wait()
}
