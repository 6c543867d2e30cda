package event

import (
	"math"
	"strconv"
	"time"
)

// MaxHops is the largest hop count, and the one of an event without any: upstream's default.
const MaxHops = 255

// Arrive prepares an event that came in, as upstream's ingress does (knative.dev/eventing
// pkg/broker/ttl.go, pkg/broker/ingress): it takes one hop off the event's count, caps the rest at
// MaxHops, and sets the arrival time. A count that is missing or no number becomes MaxHops.
//
// The error is ErrHopsExhausted when no hop is left; upstream answers 400 then.
func Arrive(e Event, now time.Time) (Event, error) {
	hops := MaxHops
	if brought, ok := parseHops(e.Attr(HopCount)); ok {
		hops = min(brought-1, MaxHops)
	}
	return e.withHops(hops, now)
}

// Depart removes the hop count, which subscribers do not get, and returns it for Reply. An event
// without a count, because it did not come through an ingress, has MaxHops.
func Depart(e Event) (Event, int) {
	hops, ok := parseHops(e.Attr(HopCount))
	if !ok {
		hops = MaxHops
	}
	return e.Without(HopCount), hops
}

// Reply prepares a subscriber's reply for the same Broker: the reply gets the arrival time and one
// hop less than hops, the count that Depart returned for the event replied to. Reply ignores the
// reply's own count. The error is ErrHopsExhausted when no hop is left.
func Reply(reply Event, hops int, now time.Time) (Event, error) {
	return reply.withHops(min(hops-1, MaxHops), now)
}

// withHops returns the event with this hop count and arrival time.
func (e Event) withHops(hops int, now time.Time) (Event, error) {
	if hops <= 0 {
		return Event{}, ErrHopsExhausted
	}
	e.Attributes = append(e.except(HopCount, ArrivalTime),
		Attribute{Name: HopCount, Value: strconv.Itoa(hops)},
		Attribute{Name: ArrivalTime, Value: now.UTC().Format(time.RFC3339Nano)})
	return e, nil
}

// parseHops reads a hop count as the CloudEvents SDK reads integers: 32 bits, fraction cut off.
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
