package telemetry

import (
	"context"
	"errors"
	"fmt"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/route"
)

// What package count has counted, per address or per target.
const (
	// EventsAccepted counts events that are stored, EventsRefused those that are not, by ErrorType.
	EventsAccepted = "eventing.jetstream.events.accepted"
	EventsRefused  = "eventing.jetstream.events.refused"
	// EventsUnmatched counts events that no target of the address gets.
	EventsUnmatched = "eventing.jetstream.events.unmatched"
	// EventsDelivered, EventsParked and EventsDead count per target; AttemptsFailed by ErrorType as well.
	EventsDelivered = "eventing.jetstream.events.delivered"
	EventsParked    = "eventing.jetstream.events.parked"
	EventsDead      = "eventing.jetstream.events.dead"
	AttemptsFailed  = "eventing.jetstream.attempts.failed"
	// EventsRetrying and AttemptsInFlight are how many there are now in the process.
	EventsRetrying   = "eventing.jetstream.events.retrying"
	AttemptsInFlight = "eventing.jetstream.attempts.in_flight"
)

// ErrorType is OpenTelemetry's attribute for the class of a failure. Its values here are few.
const ErrorType attribute.Key = "error.type"

// counted makes the instruments.
type counted struct {
	meter metric.Meter
	errs  []error
	all   []metric.Observable
}

// Observe has the provider, nil for OpenTelemetry's global one, read the counts of the routes as long
// as the process lives: of an ingress what it takes, of a filter what it does with that.
func Observe(provider metric.MeterProvider, role route.Role, routes func() route.Snapshot) error {
	if provider == nil {
		provider = otel.GetMeterProvider()
	}
	c := counted{meter: provider.Meter("github.com/eventing-jetstream/eventing-jetstream/pkg/count")}
	read := c.filter()
	if role == route.RoleIngress {
		read = c.ingress()
	}
	if err := errors.Join(c.errs...); err != nil {
		return err
	}
	_, err := c.meter.RegisterCallback(func(_ context.Context, to metric.Observer) error {
		read(to, routes())
		return nil
	}, c.all...)
	if err != nil {
		return fmt.Errorf("metrics of counts: %w", err)
	}
	return nil
}

// counter makes a counter of events, or of what the unit says.
func (c *counted) counter(name, unit, description string) metric.Int64Observable {
	i, err := c.meter.Int64ObservableCounter(name, metric.WithUnit(unit), metric.WithDescription(description))
	c.errs, c.all = append(c.errs, err), append(c.all, i)
	return i
}

// gauge makes a count of what is there now.
func (c *counted) gauge(name, unit, description string) metric.Int64Observable {
	i, err := c.meter.Int64ObservableUpDownCounter(name, metric.WithUnit(unit), metric.WithDescription(description))
	c.errs, c.all = append(c.errs, err), append(c.all, i)
	return i
}

const (
	unitEvent   = "{event}"
	unitAttempt = "{attempt}"
)

func (c *counted) ingress() func(metric.Observer, route.Snapshot) {
	accepted := c.counter(EventsAccepted, unitEvent, "Events that were stored")
	refused := c.counter(EventsRefused, unitEvent, "Events that were refused")
	return func(to metric.Observer, s route.Snapshot) {
		for key, a := range s.Addresses {
			n, of := a.Counts.Read(0), Address(key)
			to.ObserveInt64(accepted, signed(n.Accepted), metric.WithAttributes(of[:]...))
			observeEach(to, refused, n.Refused, of[:])
		}
	}
}

func (c *counted) filter() func(metric.Observer, route.Snapshot) {
	unmatched := c.counter(EventsUnmatched, unitEvent, "Events that no Trigger or Subscription gets")
	delivered := c.counter(EventsDelivered, unitEvent, "Events that were delivered")
	parked := c.counter(EventsParked, unitEvent, "Events that were stored for one Trigger or Subscription alone")
	dead := c.counter(EventsDead, unitEvent, "Events that were given up and are dead letters")
	failed := c.counter(AttemptsFailed, unitAttempt, "Attempts to deliver that have failed")
	retrying := c.gauge(EventsRetrying, unitEvent, "Events that wait in the process for their next attempt")
	inFlight := c.gauge(AttemptsInFlight, unitAttempt, "Attempts to deliver that run now")
	return func(to metric.Observer, s route.Snapshot) {
		for key, a := range s.Addresses {
			of := Address(key)
			to.ObserveInt64(unmatched, signed(a.Counts.Read(0).Unmatched), metric.WithAttributes(of[:]...))
		}
		for key, t := range s.Targets {
			n, address := t.Counts.Read(0), Address(key.Address)
			of := append(address[:], MessagingDest.String(TargetDestination(t)))
			with := metric.WithAttributes(of...)
			to.ObserveInt64(delivered, signed(n.Delivered), with)
			to.ObserveInt64(parked, signed(n.Parked), with)
			to.ObserveInt64(dead, signed(n.Dead), with)
			to.ObserveInt64(retrying, n.Retrying, with)
			to.ObserveInt64(inFlight, n.InFlight, with)
			observeEach(to, failed, n.Failed, of)
		}
	}
}

func observeEach(to metric.Observer, instrument metric.Int64Observable, byType map[string]uint64, of []attribute.KeyValue) {
	for name, n := range byType {
		to.ObserveInt64(instrument, signed(n), metric.WithAttributes(append(of[:len(of):len(of)], ErrorType.String(name))...))
	}
}

func signed(n uint64) int64 { return int64(n) } //nolint:gosec // no count comes that far
