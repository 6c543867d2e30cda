package e2e

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/eventing-jetstream/eventing-jetstream/test/natstest"
)

// TestRunSaysWhereEverythingIs, and what becomes of an event that nobody wants.
func TestRunSaysWhereEverythingIs(t *testing.T) {
	t.Parallel()
	s := subscribe(t, map[string]answers{"/refuses": says(503, "the database is away\n")})
	b := brokerOf("default", "{delivery: {retry: 100, backoffPolicy: linear, backoffDelay: PT0.2S}}")
	l := startLaptop(t, manifest(b, triggerOf(b, "one", s.URL+"/refuses", "filter: {attributes: {type: wanted}}")))
	l.says(t, "kn-jetstream ", 1)
	l.says(t, "listens on  http://"+l.listen, 1)
	l.says(t, "store       "+l.store, 1)
	l.says(t, "NATS        nats://127.0.0.1:", 1)
	if url, err := os.ReadFile(filepath.Join(l.store, "nats.url")); err != nil || strings.Contains(l.output.String(), strings.TrimSpace(string(url))) {
		t.Errorf("error %v, or the token is told", err)
	}
	for _, id := range []string{"1", "2"} {
		l.accepts(t, "/default/default", event("nobodys", id), nil)
	}
	l.says(t, `broker default/default  has no Trigger, of 1, that wants event "1" of type "nobodys", source "/e2e"`, 1)
	l.accepts(t, "/default/default", event("wanted", "3"), nil)
	l.says(t, `the database is away`, 1) // why the delivery fails
	if strings.Contains(l.output.String(), `wants event "2"`) || strings.Contains(l.output.String(), `wants event "3"`) {
		t.Errorf("it tells of too many events:\n%s", l.output)
	}
	l.save(t, "apiVersion: v1\nkind: Service\nmetadata: {name: s}\n")
	l.says(t, "Service s (v1) is somebody else's: ignored", 1)
	l.says(t, "there is nothing to do until they change", 1)
}

// TestApplyFromStandardInput, of a file with what is somebody else's, and of one that has nothing else.
func TestApplyFromStandardInput(t *testing.T) {
	t.Parallel()
	url := natstest.Start(t, nil).URL()
	apply := func(text string) string {
		t.Helper()
		cmd := exec.CommandContext(t.Context(), built.kn, "apply", "-f", "-", "--nats", url)
		cmd.Stdin = strings.NewReader(text)
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		return string(out)
	}
	service := "apiVersion: v1\nkind: Service\nmetadata: {name: s}\n"
	if out := apply(service + "---" + broker()); !strings.Contains(out, "broker default/default applied") || !strings.Contains(out, "standard input:1: Service s (v1)") {
		t.Errorf("%s", out)
	}
	if out := apply(service); !strings.Contains(out, "there is nothing to do") {
		t.Errorf("%s", out)
	}
}

// TestRunWaitsForNATSAloud starts without NATS.
func TestRunWaitsForNATSAloud(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file := filepath.Join(dir, "f.yaml")
	if err := os.WriteFile(file, []byte(broker()), 0o600); err != nil {
		t.Fatal(err)
	}
	port := freePort(t)
	for name, argv := range map[string][]string{
		"run":     {built.kn, "run", "-f", file, "--listen", "127.0.0.1:" + freePort(t), "--nats", "nats://me:secret@127.0.0.1:" + port},
		"ingress": {built.ingress, "--listen", "127.0.0.1:" + freePort(t), "--nats", "nats://127.0.0.1:" + port},
	} {
		p := start(t, name, argv...)
		eventually(t, 10*time.Second, name+" says what it waits for", func() error {
			if out := p.output.String(); !strings.Contains(out, "waiting for NATS") || !strings.Contains(out, "nats://127.0.0.1:"+port) {
				return os.ErrNotExist
			}
			return nil
		})
		if strings.Contains(p.output.String(), "secret") {
			t.Errorf("%s tells the password", name)
		}
	}
}

// TestATriggerGetsItsFirstFilters without an error on a fresh store.
func TestATriggerGetsItsFirstFilters(t *testing.T) {
	t.Parallel()
	s := subscribe(t, nil)
	b := brokerOf("default", "")
	l := startLaptop(t, manifest(b, triggerOf(b, "one", s.URL+"/one")))
	for n, filter := range []string{"filters: [{exact: {type: a}}]", "filters: [{exact: {type: a}}, {prefix: {source: /}}]", "filter: {attributes: {type: a}}"} {
		l.save(t, manifest(b, triggerOf(b, "one", s.URL+"/one", filter)))
		l.says(t, "trigger default/one of broker default/default  is ready  (changed)", n+1)
	}
	l.accepts(t, "/default/default", event("a", "1"), nil)
	s.getsEvent(t, "/one", "1")
	if out := l.output.String(); strings.Contains(out, "not supported") || strings.Contains(out, "tried again") {
		t.Errorf("%s", out)
	}
}
