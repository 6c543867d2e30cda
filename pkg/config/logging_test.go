package config_test

import (
	"log/slog"
	"strings"
	"testing"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/config"
)

func TestLogLevel(t *testing.T) {
	const own, all = "loglevel.ingress", "zap-logger-config"
	tests := []struct {
		name    string
		data    map[string]string
		want    slog.Level
		wantKey string // that the error names
	}{
		{name: "no ConfigMap"},
		{name: "for all", data: map[string]string{all: `{"level":"warn","encoding":"json"}`}, want: slog.LevelWarn},
		{name: "for all, nothing said", data: map[string]string{all: `{"encoding":"json"}`}},
		{name: "the component's own goes first", data: map[string]string{all: `{"level":"error"}`, own: "debug"}, want: slog.LevelDebug},
		{name: "as YAML's | leaves it", data: map[string]string{own: "DEBUG\n"}, want: slog.LevelDebug},
		{name: "an empty one is none", data: map[string]string{all: `{"level":"error"}`, own: ""}, want: slog.LevelError},
		{name: "that of another component", data: map[string]string{"loglevel.filter": "chatty"}},
		{name: "silence", data: map[string]string{own: "fatal"}, want: slog.LevelError + 4},
		{name: "no level", data: map[string]string{own: "chatty"}, wantKey: own},
		{name: "no JSON", data: map[string]string{all: `level: info`}, wantKey: all},
		{name: "no level in the JSON", data: map[string]string{all: `{"level":"chatty"}`}, wantKey: all},
		{name: "a broken one for all is not asked", data: map[string]string{all: `{`, own: "error"}, want: slog.LevelError},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := config.LogLevel(tt.data, "ingress")
			if got != tt.want || (err != nil) != (tt.wantKey != "") {
				t.Fatalf("level %v, %v; want %v", got, err, tt.want)
			}
			if err != nil && !strings.Contains(err.Error(), tt.wantKey) {
				t.Errorf("%v does not name %s", err, tt.wantKey)
			}
		})
	}
}
