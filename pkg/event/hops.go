package event

import (
	"math"
	"strconv"
	"time"
)

// MaxHops is the hop count of an event that comes without one, and the most that any event has: upstream's default.
const MaxHops = 255

// Arrive prepares an event for its way through the broker, as upstream's ingress does (knative.dev/eventing
// pkg/broker/ttl.go, pkg/broker/ingress): it takes one hop off the count that the event brings and caps the rest at MaxHops.
// A count that is missing or no number becomes MaxHops. It sets the arrival time.
//
// ErrHopsExhausted when no hop is left; upstream answers 400 then.
func Arrive(e Event, now time.Time) (Event, error) {
	hops := MaxHops
	if brought, ok := parseHops(e.Attr(HopCount)); ok {
		hops = min(brought-1, MaxHops)
	}
	return e.underway(hops, now)
}

// Depart strips the hop count, which is the broker's own affair, before the event goes to a subscriber, and returns it for
// Reply. An event that has none, because it did not come through an ingress, has MaxHops.
func Depart(e Event) (Event, int) {
	hops, ok := parseHops(e.Attr(HopCount))
	if !ok {
		hops = MaxHops
	}
	return e.Without(HopCount), hops
}

// Reply prepares a subscriber's reply for the same broker: it has one hop less than the event it replies to, whose count
// Depart returned. What the reply itself claims is ignored. It sets the arrival time. ErrHopsExhausted when no hop is left.
func Reply(reply Event, hops int, now time.Time) (Event, error) {
	return reply.underway(min(hops-1, MaxHops), now)
}

// underway returns the event with this hop count and arrival time.
func (e Event) underway(hops int, now time.Time) (Event, error) {
	if hops <= 0 {
		return Event{}, ErrHopsExhausted
	}
	e.Attributes = append(e.except(HopCount, ArrivalTime),
		Attribute{Name: HopCount, Value: strconv.Itoa(hops)},
		Attribute{Name: ArrivalTime, Value: now.UTC().Format(time.RFC3339Nano)})
	return e, nil
}

// parseHops reads a hop count the way the CloudEvents SDK reads integers: any number of 32 bits, its fraction cut off.
func parseHops(value string) (int, bool) {
	if hops, err := strconv.ParseInt(value, 10, 32); err == nil {
		return int(hops), true
	}
	number, err := strconv.ParseFloat(value, 64)
	if err != nil || math.IsNaN(number) || number > math.MaxInt32 || number < math.MinInt32 {
		return 0, false
	}
	return int(number), true
}
