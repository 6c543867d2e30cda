package e2e

import (
	"os"
	"path/filepath"
	"testing"
	"time"
)

// startNATS runs a nats-server, applies the manifest to it and returns its URL.
func startNATS(t *testing.T, manifest string) string {
	t.Helper()
	port := freePort(t)
	url := "nats://127.0.0.1:" + port
	start(t, "nats-server", built.natsServer, "-js", "-a", "127.0.0.1", "-p", port, "-sd", t.TempDir())
	file := filepath.Join(t.TempDir(), "routes.yaml")
	if err := os.WriteFile(file, []byte(manifest), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Log(run(t, built.kn, "apply", "-f", file, "--nats", url))
	return url
}

// startPart runs an ingress or a filter with more flags, waits until it is ready, and returns the address of its probes too.
func startPart(t *testing.T, program, natsURL string, flags ...string) (p *process, probes string) {
	t.Helper()
	probes = "127.0.0.1:" + freePort(t)
	argv := append([]string{program, "--nats", natsURL, "--probe-listen", probes}, flags...)
	p = start(t, filepath.Base(program), argv...)
	eventually(t, 20*time.Second, p.name+" is ready", ready(probes))
	return p, probes
}

// mounted writes files as a mounted ConfigMap has them, and returns their folder.
func mounted(t *testing.T, keys map[string]string) string {
	t.Helper()
	folder := t.TempDir()
	for key, value := range keys {
		if err := os.WriteFile(filepath.Join(folder, key), []byte(value), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return folder
}
