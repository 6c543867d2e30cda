package ingress_test

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/metric/noop"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/ingress"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/telemetry"
)

// meter is a MeterProvider with one histogram. It keeps the attributes of each record.
type meter struct {
	noop.MeterProvider

	name   string
	config metric.Float64HistogramConfig

	mu       sync.Mutex
	recorded []attribute.Set
}

func (m *meter) Meter(string, ...metric.MeterOption) metric.Meter { return histogramMeter{meter: m} }

type histogramMeter struct {
	noop.Meter
	meter *meter
}

func (h histogramMeter) Float64Histogram(name string, options ...metric.Float64HistogramOption) (metric.Float64Histogram, error) {
	h.meter.name, h.meter.config = name, metric.NewFloat64HistogramConfig(options...)
	return histogram{meter: h.meter}, nil
}

type histogram struct {
	noop.Float64Histogram
	meter *meter
}

func (h histogram) Enabled(context.Context) bool { return true }

func (h histogram) Record(_ context.Context, _ float64, options ...metric.RecordOption) {
	h.meter.mu.Lock()
	defer h.meter.mu.Unlock()
	h.meter.recorded = append(h.meter.recorded, metric.NewRecordConfig(options).Attributes())
}

func TestDispatchDuration(t *testing.T) {
	rows := []struct {
		name   string
		header map[string]string
		fail   error
		want   string // status code and type; empty: not measured
	}{
		{"stored", nil, nil, "202 order.made"},
		{"NATS away", nil, ingress.ErrUnavailable, "503 order.made"},
		{"over-long type", map[string]string{"Ce-Type": strings.Repeat("t", 200)}, nil, "202 " + telemetry.Other},
		{"invalid event", map[string]string{"Ce-Id": ""}, nil, ""},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			recorder := &meter{}
			config := configFor(&publisher{fail: row.fail})
			config.Meter = recorder
			address := serve(t, ingress.New(config), 0)
			do(t, client(t, "HTTP/1.1"), request(t, http.MethodPost, "http://"+address+"/default/orders", nil, row.header))

			if recorder.name != "kn.eventing.dispatch.duration" || recorder.config.Unit() != "s" ||
				!slices.Equal(recorder.config.ExplicitBucketBoundaries(), telemetry.LatencyBuckets()) {
				t.Errorf("histogram %s in %s with bounds %v", recorder.name, recorder.config.Unit(), recorder.config.ExplicitBucketBoundaries())
			}
			if row.want == "" {
				if len(recorder.recorded) != 0 {
					t.Errorf("recorded %v", recorder.recorded)
				}
				return
			}
			if len(recorder.recorded) != 1 {
				t.Fatalf("%d measurements, want 1", len(recorder.recorded))
			}
			code, kind, _ := strings.Cut(row.want, " ")
			checkAttributes(t, recorder.recorded[0], code, kind)
		})
	}
}

// checkAttributes compares all attributes: each is a dimension of the metric.
func checkAttributes(t *testing.T, got attribute.Set, code, kind string) {
	t.Helper()
	want := map[string]string{
		"kn.broker.namespace": "default", "kn.broker.name": "orders", "cloudevents.type": kind,
		"messaging.system": "knative", "messaging.operation.name": "send", "messaging.destination.name": "broker:orders.default",
		"url.scheme": "http", "http.response.status_code": code,
	}
	for _, a := range got.ToSlice() {
		if want[string(a.Key)] != a.Value.String() {
			t.Errorf("attribute %s is %q, want %q", a.Key, a.Value.String(), want[string(a.Key)])
		}
		delete(want, string(a.Key))
	}
	if len(want) > 0 {
		t.Errorf("missing attributes: %v", want)
	}
}

// Senders choose the types, but not the number of time series; one Broker's types leave other
// Brokers their share.
func TestTypesOfTheMetricAreBounded(t *testing.T) {
	recorder := &meter{}
	config := configFor(&publisher{})
	config.Meter = recorder
	address := serve(t, ingress.New(config), 0)
	c := client(t, "HTTP/1.1")
	send := func(broker, kind string) {
		do(t, c, request(t, http.MethodPost, "http://"+address+"/default/"+broker, nil, map[string]string{"Ce-Type": kind}))
	}
	for i := range 300 {
		send("orders", fmt.Sprintf("type.%d", i))
	}
	send("orders", "type.0")
	send("dedup", "late")

	types := map[string]int{}
	for _, set := range recorder.recorded {
		value, _ := set.Value(telemetry.EventType)
		types[value.String()]++
	}
	if len(types) != 102 || types[telemetry.Other] != 200 || types["type.0"] != 2 || types["late"] != 1 {
		t.Errorf("%d types, %d other, type.0 %d times, late %d times", len(types), types[telemetry.Other], types["type.0"], types["late"])
	}
}

func TestTypeOfABatch(t *testing.T) {
	recorder := &meter{}
	config := configFor(&publisher{})
	config.Meter = recorder
	address := serve(t, ingress.New(config), 0)
	c := client(t, "HTTP/1.1")
	other := strings.Replace(member("b", ""), "order.made", "order.sent", 1)
	for _, body := range []string{batchOf(member("a", ""), member("b", "")), batchOf(member("a", ""), other), "[]"} {
		postBatch(t, c, address, body)
	}
	var types []string
	for _, set := range recorder.recorded {
		value, _ := set.Value(telemetry.EventType)
		types = append(types, value.String())
	}
	if want := []string{"order.made", telemetry.Other}; !slices.Equal(types, want) {
		t.Errorf("types %v, want %v", types, want)
	}
}
