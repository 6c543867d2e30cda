package event

import (
	"net/http"
	"slices"
	"strings"
)

// Bounds of an event's travelling headers, which leave most of NATS's 64 KiB to the attributes.
const (
	MaxTravellingHeaders = 64
	MaxTravellingBytes   = 16 << 10
)

// TravellingHeaders picks the headers that pass from sender to subscriber beside the event: the W3C
// trace context, and as upstream (knative.dev/eventing pkg/utils/headers.go) x-request-id,
// retry-after, knative-* and x-b3-*; also kn-*, except Kn-Namespace, which is set at delivery.
//
// The trace context comes first, the rest sorted by name. Values beyond MaxTravellingHeaders, or
// beyond MaxTravellingBytes of names and values, are left out. The keys of h must be canonical.
func TravellingHeaders(h http.Header) []Header {
	return travelling(h, "")
}

// travelling picks the travelling headers whose names have the prefix, and cuts the prefix off.
// Values under a prefix are percent-encoded.
func travelling(h map[string][]string, prefix string) []Header {
	var headers []Header
	for key, values := range h {
		name, ok := cutPrefixFold(key, prefix)
		if !ok || !travels(name) {
			continue
		}
		for _, value := range values {
			if prefix != "" {
				value, _ = decodePercent(value) // text that is not encoded stays
			}
			headers = append(headers, Header{name, value})
		}
	}
	return bounded(headers)
}

// bounded sorts the headers in place and cuts off what exceeds the bounds. It drops what no HTTP
// client sends: a header of a NATS publisher must not make an event undeliverable.
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

// compareTravelling sorts the trace context first, so that no bound cuts it off.
func compareTravelling(a, b Header) int {
	if aTrace, bTrace := isTraceContext(a.Name), isTraceContext(b.Name); aTrace != bTrace {
		if aTrace {
			return -1
		}
		return 1
	}
	return strings.Compare(a.Name, b.Name)
}

// travels reports whether TravellingHeaders picks the header; never Nats-*, commands to the server.
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
