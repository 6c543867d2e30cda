package e2e

import (
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestConfigMapsThatAreWrongOrAbsentStopNothing starts an ingress with each; a log level that is mended is taken over.
func TestConfigMapsThatAreWrongOrAbsentStopNothing(t *testing.T) {
	t.Parallel()
	natsURL := startNATS(t, manifest(brokerOf("default", "")))
	const level = "loglevel.eventing-jetstream-ingress"
	wrong := mounted(t, map[string]string{level: "chatty"})
	absent := filepath.Join(t.TempDir(), "absent")
	for _, c := range []struct {
		name, logging, observability string
		says                         []string
	}{
		{"absent", absent, absent, nil},
		{"empty", mounted(t, nil), mounted(t, nil), nil},
		{"wrong", wrong, mounted(t, map[string]string{"metrics-protocol": "statsd"}), []string{level, "metrics-protocol"}},
	} {
		listen := "127.0.0.1:" + freePort(t)
		in, _ := startPart(t, built.ingress, natsURL, "--listen", listen, "--logging-config", c.logging, "--observability-config", c.observability)
		if got := (call{url: "http://" + listen + "/default/default", header: event("t", "1")}).do(t); got.status != http.StatusAccepted {
			t.Errorf("%s: status %d: %s", c.name, got.status, got.body)
		}
		if n := strings.Count(in.output.String(), "error="); n < len(c.says) || (c.says == nil && strings.Contains(in.output.String(), "config-")) {
			t.Errorf("%s: it says\n%s", c.name, in.output)
		}
		for _, key := range c.says {
			if !strings.Contains(in.output.String(), key) {
				t.Errorf("%s: it does not name %s:\n%s", c.name, key, in.output)
			}
		}
		if c.name != "wrong" {
			continue
		}
		if err := os.WriteFile(filepath.Join(wrong, level), []byte("debug"), 0o600); err != nil {
			t.Fatal(err)
		}
		eventually(t, 30*time.Second, "the mended level is in force", func() error {
			// A refused request is a line at level debug.
			(call{url: "http://" + listen + "/default/default"}).do(t)
			if !strings.Contains(in.output.String(), "level=DEBUG") {
				return errors.New(in.output.String())
			}
			return nil
		})
	}
}
