package event

import (
	"net/http"
	"slices"
	"strings"
)

// Bounds of what travels beside one event. They keep a sender from using up the 64 KiB that NATS has for the attributes.
const (
	MaxTravellingHeaders = 64
	MaxTravellingBytes   = 16 << 10
)

// TravellingHeaders picks the headers that go from sender to subscriber beside the event: the W3C trace context, and what
// upstream passes through (knative.dev/eventing pkg/utils/headers.go): x-request-id, retry-after, knative-* and x-b3-*; also
// kn-*, save Kn-Namespace, which names the broker's namespace and is set at delivery.
//
// The trace context comes first, the rest in the order of their names. What exceeds MaxTravellingHeaders values or
// MaxTravellingBytes of names and values is left out. The keys of h are canonical.
func TravellingHeaders(h http.Header) []Header {
	return travelling(h, "")
}

// travelling picks the headers whose names, behind the prefix, say that they travel. A prefix says
// that values are encoded.
func travelling(h map[string][]string, prefix string) []Header {
	var headers []Header
	for key, values := range h {
		name, ok := cutPrefixFold(key, prefix)
		if !ok || !travels(name) {
			continue
		}
		for _, value := range values {
			if prefix != "" {
				value, _ = decodePercent(value) // what others have written there stays as it is
			}
			headers = append(headers, Header{name, value})
		}
	}
	return bounded(headers)
}

// bounded orders the headers and cuts off what exceeds the bounds. It works in place. Names and
// values that no HTTP client sends are left out: no header from a NATS publisher may make an event
// undeliverable.
func bounded(headers []Header) []Header {
	headers = slices.DeleteFunc(headers, func(h Header) bool { return !isToken(h.Name) || hasControl(h.Value) })
	slices.SortStableFunc(headers, compareTravelling)
	size := 0
	for i, header := range headers {
		size += len(header.Name) + len(header.Value)
		if i == MaxTravellingHeaders || size > MaxTravellingBytes {
			return headers[:i]
		}
	}
	return headers
}

// compareTravelling orders the trace context before everything else, so that no bound cuts it off.
func compareTravelling(a, b Header) int {
	if aTrace, bTrace := isTraceContext(a.Name), isTraceContext(b.Name); aTrace != bTrace {
		if aTrace {
			return -1
		}
		return 1
	}
	return strings.Compare(a.Name, b.Name)
}

// travels reports whether a header of this name is one of those that TravellingHeaders picks. Nats-* is not among them: to
// the server those are commands.
func travels(name string) bool {
	switch {
	case isTraceContext(name), strings.EqualFold(name, "x-request-id"), strings.EqualFold(name, "retry-after"):
		return true
	case hasPrefixFold(name, "kn-"):
		return !strings.EqualFold(name, "kn-namespace")
	}
	return hasPrefixFold(name, "knative-") || hasPrefixFold(name, "x-b3-")
}

func isTraceContext(name string) bool {
	return strings.EqualFold(name, "traceparent") || strings.EqualFold(name, "tracestate")
}
