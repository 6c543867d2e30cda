package dispatch

import (
	"context"
	"errors"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/event"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/route"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/telemetry"
)

// scope names the instruments' origin.
const scope = "github.com/eventing-jetstream/eventing-jetstream/pkg/dispatch"

// maxEventTypes bounds the values of the event type attribute, which senders choose.
const maxEventTypes = 200

// metrics records the requests of a pool.
type metrics struct {
	dispatch, process metric.Float64Histogram
	// types are counted for all addresses together.
	types *telemetry.Types
}

func newMetrics(provider metric.MeterProvider) (*metrics, error) {
	dispatch, dispatchErr := telemetry.Histogram(provider, scope, telemetry.DispatchDuration, "The duration to dispatch the event")
	process, processErr := telemetry.Histogram(provider, scope, telemetry.ProcessDuration, "The time from taking an event to its first request")
	m := &metrics{dispatch: dispatch, process: process, types: telemetry.NewTypes(maxEventTypes)}
	return m, errors.Join(dispatchErr, processErr)
}

// sent records one request: to a subscriber, to where its replies go, or to a dead letter sink.
func (m *metrics) sent(target route.Target, e event.Event, response Response, took time.Duration) {
	ctx := context.Background()
	if !m.dispatch.Enabled(ctx) {
		return // nobody listens: the attributes would be the largest part of a delivery's cost
	}
	attributes := m.attributes(target, e)
	if response.Err == nil && response.StatusCode > 0 {
		attributes = append(attributes, telemetry.HTTPStatusCode.Int(response.StatusCode))
	}
	m.dispatch.Record(ctx, took.Seconds(), metric.WithAttributes(attributes...))
}

// begun records an event that the filter let through, when it has got its slot.
func (m *metrics) begun(target route.Target, message Message) {
	if ctx := context.Background(); m.process.Enabled(ctx) && !message.Taken.IsZero() {
		m.process.Record(ctx, time.Since(message.Taken).Seconds(), metric.WithAttributes(m.attributes(target, message.Event)...))
	}
}

// attributes are those of upstream's filter, and of its channel dispatcher.
func (m *metrics) attributes(target route.Target, e event.Event) []attribute.KeyValue {
	address := telemetry.Address(target.Key.Address)
	return []attribute.KeyValue{
		address[0], address[1],
		telemetry.MessagingSystem.String(telemetry.SystemKnative),
		telemetry.MessagingDest.String(telemetry.TargetDestination(target)),
		telemetry.MessagingOp.String(telemetry.OperationSend),
		telemetry.EventType.String(m.types.Value(route.Key{}, e.Attr(event.Type))),
	}
}
