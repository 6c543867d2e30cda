package dispatch

import (
	"context"
	"maps"
	"slices"
	"strconv"
	"testing"
	"time"

	"go.opentelemetry.io/otel/attribute"
	sdk "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/delivery"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/event"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/route"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/telemetry"
)

// collect returns the points of the dispatch duration.
func collect(t *testing.T, reader sdk.Reader) []metricdata.HistogramDataPoint[float64] {
	t.Helper()
	var all metricdata.ResourceMetrics
	if err := reader.Collect(context.Background(), &all); err != nil {
		t.Fatal(err)
	}
	for _, s := range all.ScopeMetrics {
		for _, m := range s.Metrics {
			if h, ok := m.Data.(metricdata.Histogram[float64]); ok && m.Name == telemetry.DispatchDuration && m.Unit == "s" {
				return h.DataPoints
			}
		}
	}
	t.Fatalf("no histogram %s in %+v", telemetry.DispatchDuration, all.ScopeMetrics)
	return nil
}

func TestDispatchDuration(t *testing.T) {
	for _, test := range []struct {
		name     string
		response Response
		wantCode attribute.Value
	}{
		{name: "with a response", response: Response{StatusCode: 503}, wantCode: attribute.IntValue(503)},
		{name: "without one", response: Response{Err: errInjected}},
	} {
		t.Run(test.name, func(t *testing.T) {
			reader := sdk.NewManualReader()
			m, err := newMetrics(sdk.NewMeterProvider(sdk.WithReader(reader)))
			if err != nil {
				t.Fatal(err)
			}
			m.sent(target("trigger"), testEvent("e"), test.response, 2*time.Second)
			points := collect(t, reader)
			if len(points) != 1 || points[0].Count != 1 || points[0].Sum != 2 || !slices.Equal(points[0].Bounds, telemetry.LatencyBuckets()) {
				t.Fatalf("points %+v, want one of 2 s", points)
			}
			got := map[attribute.Key]attribute.Value{}
			for _, a := range points[0].Attributes.ToSlice() {
				got[a.Key] = a.Value
			}
			want := map[attribute.Key]attribute.Value{
				"kn.broker.name": attribute.StringValue("broker"), "kn.broker.namespace": attribute.StringValue("ns"),
				"messaging.system": attribute.StringValue("knative"), "messaging.destination.name": attribute.StringValue("trigger:trigger.ns"),
				"messaging.operation.name": attribute.StringValue("send"), "cloudevents.type": attribute.StringValue("test.type"),
			}
			if test.response.Err == nil {
				want["http.response.status_code"] = test.wantCode
			}
			if !maps.Equal(got, want) {
				t.Errorf("attributes %v, want %v", got, want)
			}
		})
	}
}

// A Channel's requests are measured as those of upstream's: by Channel and Subscription, whatever the target's key is.
func TestDispatchDurationOfAChannel(t *testing.T) {
	reader := sdk.NewManualReader()
	m, err := newMetrics(sdk.NewMeterProvider(sdk.WithReader(reader)))
	if err != nil {
		t.Fatal(err)
	}
	subscriber := channelTarget(delivery.Policy{})
	subscriber.Key.Name, subscriber.Name = "a-uid", "sub"
	m.sent(subscriber, testEvent("e"), Response{StatusCode: 202}, time.Second)
	got := collect(t, reader)[0].Attributes
	for name, want := range map[attribute.Key]string{
		"kn.channel.name": "broker", "kn.channel.namespace": "ns", "messaging.destination.name": "subscription:sub.ns",
	} {
		if value, _ := got.Value(name); value.AsString() != want {
			t.Errorf("%s is %q, want %q", name, value.AsString(), want)
		}
	}
	if got.HasValue("kn.broker.name") {
		t.Error("it has a Broker's name")
	}
}

// TestEventTypesAreBounded: senders cannot fill the memory with types of their own making.
func TestEventTypesAreBounded(t *testing.T) {
	reader := sdk.NewManualReader()
	m, err := newMetrics(sdk.NewMeterProvider(sdk.WithReader(reader)))
	if err != nil {
		t.Fatal(err)
	}
	for i := range 3 * maxEventTypes {
		m.sent(target("t"), testEvent("e").With(event.Type, strconv.Itoa(i)), Response{StatusCode: 200}, 0)
	}
	if n := len(collect(t, reader)); n != maxEventTypes+1 {
		t.Errorf("%d series, want %d and one for all others", n, maxEventTypes)
	}
	if got := m.types.Value(route.Key{}, "0"); got != "0" {
		t.Errorf("a known type became %q", got)
	}
}
