package event_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/event"
)

func TestTravellingHeaders(t *testing.T) {
	h := http.Header{
		"Traceparent": {"00-1-2-01"}, "Tracestate": {"a=1", "b=2"}, "X-Request-Id": {"7"}, "Retry-After": {"3"},
		"Knative-Error-Code": {"500"}, "X-B3-Traceid": {"t"}, "Kn-Correlation": {"c"},
		"Kn-Namespace": {"elsewhere"}, "Nats-Msg-Id": {"1"}, "Nats-Rollup": {"all"}, "Authorization": {"secret"},
		"Ce-Id": {"1"}, "Content-Type": {"text/plain"}, "Cookie": {"c"}, "X-Request-Identity": {"no"},
	}
	want := []event.Header{
		{Name: "Traceparent", Value: "00-1-2-01"}, {Name: "Tracestate", Value: "a=1"}, {Name: "Tracestate", Value: "b=2"},
		{Name: "Kn-Correlation", Value: "c"}, {Name: "Knative-Error-Code", Value: "500"}, {Name: "Retry-After", Value: "3"},
		{Name: "X-B3-Traceid", Value: "t"}, {Name: "X-Request-Id", Value: "7"},
	}
	if got := event.TravellingHeaders(h); !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestTravellingHeadersAreBounded(t *testing.T) {
	many := http.Header{"Traceparent": {"00-1-2-01"}}
	for i := range 1000 {
		many.Set(fmt.Sprintf("Kn-%d", i), "x")
	}
	large := http.Header{"Traceparent": {"00-1-2-01"}, "Kn-Large": {strings.Repeat("x", event.MaxTravellingBytes)}}
	tests := []struct {
		name   string
		header http.Header
		want   int
	}{
		{"by number", many, event.MaxTravellingHeaders},
		{"by size", large, 1},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got := event.TravellingHeaders(test.header)
			if len(got) != test.want {
				t.Errorf("got %d headers, want %d", len(got), test.want)
			}
			if got[0].Name != "Traceparent" {
				t.Errorf("got %v first, want the trace context", got[0])
			}
		})
	}
}
