// Package dataplane wires the ingress and the filter from their parts. The programs in cmd differ
// only in what they put around these two.
package dataplane

import (
	"cmp"
	"context"
	"log/slog"
	"net/http"

	"github.com/nats-io/nuid"
	"go.opentelemetry.io/otel/metric"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/event"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/eventtype"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/ingress"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/publish"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/routes"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/route"
)

// Ingress takes events over HTTP into the logs of the addresses that the routes name.
type Ingress struct {
	follower
	handler *ingress.Handler
}

// IngressConfig is the configuration of an Ingress.
type IngressConfig struct {
	Client *jetstream.Client
	// URL is where clients reach this ingress. It goes into the report.
	URL string
	// MaxEventBytes bounds an event; 0 is what the NATS server takes.
	MaxEventBytes int64
	// Budget is the bytes that all requests may hold together; see memory.Budget.
	Budget int64
	// MaxInFlight bounds the requests too; 0 leaves it to the Budget.
	MaxInFlight int
	Logger      *slog.Logger
	// Meter takes the measurements; nil is OpenTelemetry's global one.
	Meter metric.MeterProvider
	// ID identifies its reports; "" is a random one. A single ingress has a fixed one, so that its
	// report replaces that of a killed predecessor, which would count for route.ReportTTL.
	ID string
	// Started, if not nil, is called once with the routes, when all are applied for the first time.
	Started func(route.Snapshot)
	// Publisher, if not nil, wraps the publisher that stores events.
	Publisher func(ingress.Publisher) ingress.Publisher
}

// NewIngress returns an ingress that has not started.
func NewIngress(c IngressConfig) (*Ingress, error) {
	sender, err := publish.NewSender(c.Client)
	if err != nil {
		return nil, err
	}
	i := &Ingress{follower: follower{
		client: c.Client, table: route.NewTable(), started: c.Started, eventTypes: eventtype.NewRecorder(routes.NewEventTypes(c.Client), c.Logger),
	}}
	var publisher ingress.Publisher = publish.New(c.Client, sender)
	if c.Publisher != nil {
		publisher = c.Publisher(publisher)
	}
	i.handler = ingress.New(ingress.Config{
		Addresses:     i.table,
		Publisher:     publisher,
		MaxEventBytes: limitOf(c.MaxEventBytes, c.Client.MaxPayload),
		Memory:        c.Budget,
		MaxInFlight:   c.MaxInFlight,
		Stored:        func(to route.Address, e event.Event) { i.eventTypes.Record(eventtype.Of(to, e)) },
		Logger:        c.Logger,
		Meter:         c.Meter,
	})
	id := cmp.Or(c.ID, nuid.Next())
	if err := i.showCounts(route.RoleIngress, id, c.Meter); err != nil {
		return nil, err
	}
	i.reporter = routes.NewReporter(c.Client, func() route.Report {
		s := i.table.Snapshot()
		return route.Report{Role: route.RoleIngress, ID: id, Revision: s.Revision, Bucket: s.Bucket, URL: c.URL, Failures: s.Failures}.Bounded()
	})
	return i, nil
}

// limitOf returns the configured limit, or that of the server if it is lower now.
func limitOf(configured int64, server func() int64) func() int64 {
	if configured <= 0 {
		return server
	}
	return func() int64 { return min(configured, server()) }
}

// ServeHTTP takes events. It answers 503 until the routes are read, as an unknown Broker may exist.
//
// After Leave each answer closes its connection. Idle connections stay open: a request may be on
// its way, and clients do not repeat a POST.
func (i *Ingress) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if i.leaving.Load() {
		w.Header().Set("Connection", "close")
	}
	if !i.synced.Load() {
		w.Header().Set("Retry-After", "1")
		http.Error(w, "the Brokers are not known yet", http.StatusServiceUnavailable)
		return
	}
	i.handler.ServeHTTP(w, r)
}

// Run follows the routes and reports until ctx ends.
func (i *Ingress) Run(ctx context.Context) {
	i.follow(ctx, func(_ context.Context, s route.Snapshot) { i.inForce(s) }, i.reporter.Run)
}
