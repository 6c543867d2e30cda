package daemon

import (
	"bytes"
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/config"
)

// follows runs f while the loop runs.
func follows(t *testing.T, loop func(context.Context), f func()) {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	var running sync.WaitGroup
	running.Go(func() { loop(ctx) })
	f()
	stop()
	running.Wait()
}

// look lets the loop look at its folder once or twice.
func look() {
	time.Sleep(2 * lookEvery) //nolint:forbidigo // the time of a synctest bubble: nobody waits
	synctest.Wait()
}

func put(t *testing.T, folder, key, value string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(folder, key), []byte(value), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestTheLogLevelFollowsItsConfigMap(t *testing.T) {
	const key = "loglevel.component"
	folder := folderOf(t, map[string]string{key: "chatty"})
	synctest.Test(t, func(t *testing.T) {
		var said bytes.Buffer
		l := &logs{level: &slog.LevelVar{}, folder: config.Folder(folder), component: "component"}
		l.Logger = slog.New(slog.NewTextHandler(&said, &slog.HandlerOptions{Level: l.level}))
		held, err := l.folder.Read()
		l.held = held
		l.apply(held, err)
		if !strings.Contains(said.String(), key) || l.level.Level() != slog.LevelInfo {
			t.Errorf("at the start the level is %s; it says %s", l.level.Level(), &said)
		}
		follows(t, l.follow, func() {
			for _, change := range []struct {
				value string
				want  slog.Level
			}{
				{"error", slog.LevelError}, {"chatty", slog.LevelError}, {"debug", slog.LevelDebug},
			} {
				put(t, folder, key, change.value)
				look()
				if got := l.level.Level(); got != change.want {
					t.Errorf("after %q the level is %s, want %s", change.value, got, change.want)
				}
			}
			if err := os.RemoveAll(folder); err != nil {
				t.Error(err)
			}
			look()
			if got := l.level.Level(); got != slog.LevelInfo {
				t.Errorf("without a ConfigMap the level is %s", got)
			}
		})
		if n := strings.Count(said.String(), "stays as it was"); n != 2 {
			t.Errorf("it complains %d times:\n%s", n, &said)
		}
	})
}

func TestProfilesFollowTheirConfigMap(t *testing.T) {
	const key = "runtime-profiling"
	folder := folderOf(t, nil)
	synctest.Test(t, func(t *testing.T) {
		o := newObservation(t.Context(), "component", Flags{Observability: folder}, slog.New(slog.DiscardHandler))
		follows(t, o.follow, func() {
			for _, change := range []struct {
				value string
				want  bool
			}{
				{"enabled", true}, {"perhaps", true}, {"disabled", false},
			} {
				put(t, folder, key, change.value)
				look()
				if got := o.profiles.SetEnabled(change.want); got != change.want {
					t.Errorf("after %q profiles are served: %t", change.value, got)
				}
			}
		})
	})
}

// Without an exporter the process measures nothing, and ends as usual.
func TestMetricsThatCannotBeExportedStopNothing(t *testing.T) {
	for name, c := range map[string]struct{ keys, environment map[string]string }{
		"no ConfigMap":        {},
		"malformed":           {keys: map[string]string{"metrics-protocol": "statsd"}},
		"a port that is none": {keys: map[string]string{"metrics-protocol": "prometheus"}, environment: map[string]string{"METRICS_PROMETHEUS_PORT": "none"}},
	} {
		t.Run(name, func(t *testing.T) {
			for key, value := range c.environment {
				t.Setenv(key, value)
			}
			var said bytes.Buffer
			o := newObservation(t.Context(), "component", Flags{Observability: folderOf(t, c.keys)}, slog.New(slog.NewTextHandler(&said, nil)))
			histogram, err := o.Meter("test").Float64Histogram("test")
			if err != nil || histogram.Enabled(t.Context()) {
				t.Errorf("it measures; error %v", err)
			}
			o.end(t.Context())
			if complains := strings.Contains(said.String(), "config-observability is wrong"); complains != (len(c.keys) > 0) {
				t.Errorf("it says %s", &said)
			}
		})
	}
}
