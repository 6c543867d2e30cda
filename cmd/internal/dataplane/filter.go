package dataplane

import (
	"cmp"
	"context"
	"log/slog"
	"maps"
	"slices"
	"sync"

	"github.com/nats-io/nuid"
	"go.opentelemetry.io/otel/metric"

	"github.com/eventing-jetstream/eventing-jetstream/cmd/internal/memory"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/cesql"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/deliver"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/dispatch"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/event"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/eventtype"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/consume"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/park"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/publish"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/routes"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/trim"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/naming"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/route"
)

// Filter carries events from the logs to the targets that the routes name.
type Filter struct {
	follower
	pool    *dispatch.Pool
	opener  *consume.Opener
	trimmer *trim.Trimmer
	sender  *deliver.Sender

	mu sync.Mutex
	// applied is the snapshot that the pool serves.
	applied route.Snapshot
	catchUp catchUp
}

// FilterConfig is the configuration of a Filter.
type FilterConfig struct {
	Client *jetstream.Client
	Logger *slog.Logger
	// Budget bounds the bytes that the filter requests from NATS and holds; 0 is memory.Budget.
	Budget int64
	// Functions are what filters of Triggers may call beside CESQL's own functions.
	Functions []cesql.Function
	// Meter takes the measurements; nil is OpenTelemetry's global one.
	Meter metric.MeterProvider
	// ID identifies the filter in its reports; "" is a random one. See IngressConfig.ID.
	ID string
	// Deliver tunes how events are sent.
	Deliver deliver.Config
	// Started, if not nil, is called once with the routes, when all are applied for the first time.
	Started func(route.Snapshot)
}

// NewFilter returns a filter that has not started.
func NewFilter(c FilterConfig) (*Filter, error) {
	f := &Filter{sender: deliver.New(c.Deliver), follower: follower{
		client: c.Client, table: route.NewTable(), started: c.Started, eventTypes: eventtype.NewRecorder(routes.NewEventTypes(c.Client), c.Logger),
	}}
	sender, err := publish.NewSender(c.Client)
	if err != nil {
		return nil, err
	}
	store := park.New(c.Client, sender, f.table)
	f.opener = consume.New(consume.Config{Client: c.Client, Park: store.Park, Budget: cmp.Or(c.Budget, memory.Budget()), Functions: c.Functions})
	f.trimmer = trim.New(c.Client, f.table)
	f.pool, err = dispatch.NewPool(dispatch.Config{
		Opener: f.opener, Store: store, Sender: f.sender, Replied: f.replied, Current: f.opener.Trusted, Logger: c.Logger, MeterProvider: c.Meter,
	})
	if err != nil {
		return nil, err
	}
	id := cmp.Or(c.ID, nuid.Next())
	if err := f.showCounts(route.RoleFilter, id, c.Meter); err != nil {
		return nil, err
	}
	f.reporter = routes.NewReporter(c.Client, func() route.Report { return f.report(id) })
	f.reporter.Written = f.trustTargets
	f.opener.OnChange(f.reporter.Changed)
	return f, nil
}

// report lists applied records and failures: a target whose consumer cannot be read is not ready.
func (f *Filter) report(id string) route.Report {
	f.mu.Lock()
	applied := f.applied
	f.mu.Unlock()
	failures := maps.Clone(applied.Failures)
	for key, why := range f.opener.Failures() {
		failures[naming.TargetKey(key)] = why
	}
	return route.Report{Role: route.RoleFilter, ID: id, Revision: applied.Revision, Bucket: applied.Bucket, Failures: failures}.Bounded()
}

// Ready also needs that NATS takes this filter's reports.
func (f *Filter) Ready() bool { return f.follower.Ready() && f.reporter.Err() == nil }

// Run serves the targets until ctx ends. Call Drain after it. It withdraws the report only after it
// has stopped to read: from then on targets become ready without this filter.
func (f *Filter) Run(ctx context.Context) {
	reporting, end := context.WithCancel(context.WithoutCancel(ctx))
	var reported sync.WaitGroup
	defer reported.Wait()
	defer end()
	reported.Go(func() { f.reporter.Run(reporting) })
	f.follow(ctx, f.apply, f.opener.Run, f.trimmer.Run)
}

// replied records the type of a reply, as upstream does: for the Trigger that replies with it and,
// if the reply goes into a Broker, for the Broker.
func (f *Filter) replied(from route.Target, reply event.Event) {
	to, known := f.table.Address(from.Key.Address)
	if !known || !to.RecordEventTypes {
		return
	}
	record := eventtype.Of(to, reply)
	if to.Key.Kind == route.KindBroker {
		f.eventTypes.Record(record)
	}
	f.eventTypes.Record(record.RepliedBy(from))
}

func (f *Filter) apply(ctx context.Context, s route.Snapshot) {
	f.opener.Follow(s)
	f.pool.Sync(ctx, slices.Collect(maps.Values(s.Targets)))
	if ctx.Err() != nil {
		return // not every target may have been tried
	}
	f.mu.Lock()
	f.applied = s
	f.mu.Unlock()
	if !f.synced.Load() {
		memory.Release()
	}
	f.inForce(s)
}

// Drain lets the requests in flight finish until ctx ends, and gives back what is left.
func (f *Filter) Drain(ctx context.Context) {
	f.pool.Drain(ctx)
	f.sender.Close()
}
