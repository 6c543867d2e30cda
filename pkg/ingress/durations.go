package ingress

import (
	"log/slog"
	"net/http"
	"slices"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/event"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/route"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/telemetry"
)

const (
	meterName = "github.com/eventing-jetstream/eventing-jetstream/pkg/ingress"
	// maxTypesPerAddress and maxTypeLength bound the metric's cloudevents.type, which senders
	// choose. telemetry.Other stands for the types beyond them.
	maxTypesPerAddress = 100
	maxTypeLength      = 128
)

// durations measures how long Publish takes. Safe for concurrent use.
type durations struct {
	histogram metric.Float64Histogram
	types     *telemetry.Types
}

// measurement is one Publish.
type measurement struct {
	to       route.Key
	messages []Message
	status   int
	took     time.Duration
}

// newDurations makes the histogram; a nil provider means the global one. If the provider fails,
// nothing is measured and events are accepted all the same.
func newDurations(provider metric.MeterProvider, logger *slog.Logger) *durations {
	histogram, err := telemetry.Histogram(provider, meterName, telemetry.DispatchDuration, "The time to store the events of a request")
	if err != nil {
		logger.Warn("metric not available", "metric", telemetry.DispatchDuration, "error", err)
	}
	return &durations{histogram: histogram, types: telemetry.NewTypes(maxTypesPerAddress)}
}

// record adds one Publish to the histogram, with the attributes of upstream's ingress.
func (d *durations) record(r *http.Request, m measurement) {
	if !d.histogram.Enabled(r.Context()) {
		return
	}
	scheme := "http"
	if r.TLS != nil {
		scheme = "https"
	}
	address := telemetry.Address(m.to)
	d.histogram.Record(r.Context(), m.took.Seconds(), metric.WithAttributeSet(attribute.NewSet(
		address[0], address[1],
		telemetry.EventType.String(d.typeOf(m)),
		telemetry.MessagingSystem.String(telemetry.SystemKnative),
		telemetry.MessagingOp.String(telemetry.OperationSend),
		telemetry.MessagingDest.String(telemetry.AddressDestination(m.to)),
		telemetry.RequestURLScheme.String(scheme),
		telemetry.HTTPStatusCode.Int(m.status),
	)))
}

// typeOf returns the messages' common type; telemetry.Other if there is none, or too many types.
func (d *durations) typeOf(m measurement) string {
	first := m.messages[0].Event.Attr(event.Type)
	differs := func(m Message) bool { return m.Event.Attr(event.Type) != first }
	if slices.ContainsFunc(m.messages[1:], differs) || len(first) > maxTypeLength {
		return telemetry.Other
	}
	return d.types.Value(m.to, first)
}
