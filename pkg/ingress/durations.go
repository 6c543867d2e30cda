package ingress

import (
	"log/slog"
	"net/http"
	"sync"
	"time"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/event"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/route"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/telemetry"
)

const (
	meterName = "github.com/eventing-jetstream/eventing-jetstream/pkg/ingress"
	// maxTypesPerAddress and maxTypeLength bound the metric's cloudevents.type, which senders choose: each address has so
	// many types of its own, and telemetry.Other stands for the rest.
	maxTypesPerAddress = 100
	maxTypeLength      = 128
)

// durations measures how long storing takes. Safe for concurrent use.
type durations struct {
	histogram metric.Float64Histogram

	mu    sync.RWMutex
	types map[route.Key]map[string]struct{}
}

// measurement is one Publish.
type measurement struct {
	to       route.Key
	messages []Message
	status   int
	took     time.Duration
}

// newDurations makes the histogram; provider nil means the global one. An instrument that the provider cannot make
// records nothing: no event is refused for want of a metric.
func newDurations(provider metric.MeterProvider, logger *slog.Logger) *durations {
	if provider == nil {
		provider = otel.GetMeterProvider()
	}
	histogram, err := provider.Meter(meterName).Float64Histogram(telemetry.DispatchDuration,
		metric.WithDescription("The time to store the events of a request"),
		metric.WithUnit(telemetry.UnitSeconds),
		metric.WithExplicitBucketBoundaries(telemetry.LatencyBuckets()...))
	if err != nil {
		logger.Warn("metric not available", "metric", telemetry.DispatchDuration, "error", err)
	}
	return &durations{histogram: histogram, types: map[route.Key]map[string]struct{}{}}
}

// record adds one Publish to the histogram, with the attributes that upstream's ingress gives it.
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
		telemetry.EventType.String(d.typeLabel(m.to, commonType(m.messages))),
		telemetry.MessagingSystem.String(telemetry.SystemKnative),
		telemetry.MessagingOp.String(telemetry.OperationSend),
		telemetry.MessagingDest.String(telemetry.AddressDestination(m.to)),
		telemetry.RequestURLScheme.String(scheme),
		telemetry.HTTPStatusCode.Int(m.status),
	)))
}

// commonType is the type that all the messages have, or telemetry.Other.
func commonType(messages []Message) string {
	first := messages[0].Event.Attr(event.Type)
	for _, m := range messages[1:] {
		if m.Event.Attr(event.Type) != first {
			return telemetry.Other
		}
	}
	return first
}

// typeLabel returns the type, or telemetry.Other once the address has used up its share of labels.
func (d *durations) typeLabel(to route.Key, eventType string) string {
	if len(eventType) > maxTypeLength {
		return telemetry.Other
	}
	d.mu.RLock()
	_, known := d.types[to][eventType]
	full := len(d.types[to]) >= maxTypesPerAddress
	d.mu.RUnlock()
	switch {
	case known:
		return eventType
	case full:
		return telemetry.Other
	}
	return d.addType(to, eventType)
}

// addType gives the type a label of its own if there is room for one more.
func (d *durations) addType(to route.Key, eventType string) string {
	d.mu.Lock()
	defer d.mu.Unlock()
	types := d.types[to]
	if types == nil {
		types = map[string]struct{}{}
		d.types[to] = types
	}
	if _, known := types[eventType]; !known && len(types) >= maxTypesPerAddress {
		return telemetry.Other
	}
	types[eventType] = struct{}{}
	return eventType
}
