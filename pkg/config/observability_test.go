package config_test

import (
	"strings"
	"testing"
	"time"

	upstream "knative.dev/pkg/observability"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/config"
)

func TestParseObservability(t *testing.T) {
	const protocol, endpoint, interval = "metrics-protocol", "metrics-endpoint", "metrics-export-interval"
	none := config.Observability{Protocol: "none", RuntimeInterval: config.DefaultRuntimeInterval}
	with := func(change func(*config.Observability)) config.Observability {
		o := none
		change(&o)
		return o
	}
	tests := []struct {
		name    string
		data    map[string]string
		want    config.Observability
		wantKey string // that the error names
		// stricter is what upstream takes, and then fails at or ignores.
		stricter bool
	}{
		{name: "no ConfigMap", want: none},
		{name: "an example, and what others read", data: map[string]string{"_example": protocol + ": odd", "sink-event-error-reporting.enable": "true"}, want: none},
		{name: "prometheus", data: map[string]string{protocol: "prometheus"}, want: with(func(o *config.Observability) { o.Protocol = "prometheus" })},
		{name: "prometheus on a port", data: map[string]string{protocol: "prometheus", endpoint: ":9999"},
			want: with(func(o *config.Observability) { o.Protocol, o.Endpoint = "prometheus", ":9999" })},
		{name: "grpc", data: map[string]string{protocol: "grpc", endpoint: "http://collector:4317", interval: "5s"},
			want: with(func(o *config.Observability) {
				o.Protocol, o.Endpoint, o.ExportInterval = "grpc", "http://collector:4317", 5*time.Second
			})},
		{name: "http", data: map[string]string{protocol: "http/protobuf", endpoint: "http://collector/"},
			want: with(func(o *config.Observability) { o.Protocol, o.Endpoint = "http/protobuf", "http://collector/" })},
		{name: "profiling", data: map[string]string{"runtime-profiling": "enabled", "runtime-export-interval": "1m"},
			want: with(func(o *config.Observability) { o.Profiling, o.RuntimeInterval = true, time.Minute })},
		{name: "no profiling", data: map[string]string{"runtime-profiling": "disabled"}, want: none},

		{name: "an unknown protocol", data: map[string]string{protocol: "statsd"}, wantKey: protocol},
		{name: "an empty protocol", data: map[string]string{protocol: ""}, wantKey: protocol},
		{name: "grpc without an endpoint", data: map[string]string{protocol: "grpc"}, wantKey: endpoint},
		{name: "an endpoint for nothing", data: map[string]string{endpoint: "http://collector"}, wantKey: endpoint},
		{name: "a port that is none", data: map[string]string{protocol: "prometheus", endpoint: "9090"}, wantKey: endpoint, stricter: true},
		{name: "a port of root's", data: map[string]string{protocol: "prometheus", endpoint: ":80"}, wantKey: endpoint, stricter: true},
		{name: "an endpoint that is no URL", data: map[string]string{protocol: "grpc", endpoint: "10.0.0.1:4317"}, wantKey: endpoint, stricter: true},
		{name: "a negative interval", data: map[string]string{interval: "-1s"}, wantKey: interval},
		{name: "an interval without a unit", data: map[string]string{interval: "30"}, wantKey: interval},
		{name: "profiling that is neither on nor off", data: map[string]string{"runtime-profiling": "true"}, wantKey: "runtime-profiling"},
		{name: "a negative runtime interval", data: map[string]string{"runtime-export-interval": "-1s"}, wantKey: "runtime-export-interval"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := config.ParseObservability(tt.data)
			if got != tt.want || (err != nil) != (tt.wantKey != "") {
				t.Fatalf("got %+v, %v", got, err)
			}
			if err != nil && !strings.Contains(err.Error(), `key "`+tt.wantKey+`"`) {
				t.Errorf("%v does not name %s", err, tt.wantKey)
			}
			theirs, theirErr := upstream.NewFromMap(tt.data)
			if (theirErr == nil) != (err == nil || tt.stricter) {
				t.Fatalf("upstream's error is %v, ours %v", theirErr, err)
			}
			if err == nil && (theirs.Metrics.Protocol != got.Protocol || theirs.Metrics.Endpoint != got.Endpoint ||
				theirs.Metrics.ExportInterval != got.ExportInterval || theirs.Runtime.ExportInterval != got.RuntimeInterval ||
				theirs.Runtime.ProfilingEnabled() != got.Profiling) {
				t.Errorf("upstream reads %+v, we %+v", theirs, got)
			}
		})
	}
}
