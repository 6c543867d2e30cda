package e2e

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// configMap is a config-br-defaults whose entry is the text.
func configMap(entry string) string {
	return "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: config-br-defaults, namespace: knative-eventing}\ndata:\n  default-br-config: |\n    " +
		strings.ReplaceAll(strings.TrimSpace(entry), "\n", "\n    ") + "\n"
}

// TestBrokerDefaults takes class and delivery of Brokers from a config-br-defaults that lies beside them.
func TestBrokerDefaults(t *testing.T) {
	s := subscribe(t, map[string]answers{"/default": says(503, ""), "/other": says(503, ""), "/own": says(503, "")})
	bare := resource{kind: "Broker", namespace: "default", name: "default", spec: "{}"}
	other := resource{kind: "Broker", namespace: "other", name: "default", spec: "{}"}
	own := brokerOf("own", fmt.Sprintf(`{delivery: {retry: 0, deadLetterSink: {uri: "%s/dead/own"}}}`, s.URL))
	l := startLaptop(t, manifest(bare, other, own, triggerOf(bare, "t", s.URL+"/default"), triggerOf(other, "t", s.URL+"/other"),
		triggerOf(own, "own", s.URL+"/own"))+"---\n"+configMap(strings.ReplaceAll(`
clusterDefault:
  brokerClass: NatsJetStreamBroker
  delivery: {retry: 1, backoffPolicy: linear, backoffDelay: PT0.1S, deadLetterSink: {uri: "URL/dead/default"}}
namespaceDefaults:
  other:
    brokerClass: NatsJetStreamBroker
    delivery: {retry: 3, backoffPolicy: linear, backoffDelay: PT0S, deadLetterSink: {uri: "URL/dead/other"}}
`, "URL", s.URL)))
	for path, want := range map[string]int{"/default/default": 2, "/other/default": 4, "/default/own": 1} {
		l.accepts(t, path, event("t", "1"), nil)
		short := map[string]string{"/default/default": "default", "/other/default": "other", "/default/own": "own"}[path]
		s.getsEvent(t, "/dead/"+short, "1")
		if n := len(s.at("/" + short)); n != want {
			t.Errorf("Broker %s: %d attempts, want %d", path, n, want)
		}
	}
}

func TestDefaultDeliveryIsAnnounced(t *testing.T) {
	t.Parallel()
	s := subscribe(t, map[string]answers{"/t": atFirst(3, says(500, ""), says(200, ""))})
	b := brokerOf("default", "{}")
	foreign := brokerOf("foreign", "{}")
	foreign.annotations = map[string]string{"eventing.knative.dev/broker.class": "MTChannelBasedBroker"}
	l := startLaptop(t, manifest(b, foreign, triggerOf(b, "t", s.URL+"/t"), triggerOf(foreign, "foreign", s.URL+"/foreign"),
		triggerOf(resource{namespace: "default", name: "missing"}, "orphan", s.URL+"/orphan")))
	for _, line := range []string{"retry 10, exponential, PT0.2S", "MTChannelBasedBroker", "default/foreign", "missing"} {
		l.says(t, line, 1)
	}
	l.accepts(t, "/default/default", event("t", "1"), nil)
	visits := s.gets(t, "/t", 4)
	if took := visits[3].at.Sub(visits[0].at); took < 1400*time.Millisecond {
		t.Errorf("three retries took %s, want 0.2 s + 0.4 s + 0.8 s", took)
	}
	if got := (call{url: l.url("/default/foreign"), header: event("t", "2")}).do(t); got.status != 404 {
		t.Errorf("a Broker of another class: status %d, want 404", got.status)
	}
	if rows := get[triggerRow](t, l, "triggers"); len(rows) != 1 {
		t.Errorf("get triggers shows %+v, want one", rows)
	}
}

// TestRunRefusesResources starts the program on files that it must not take.
func TestRunRefusesResources(t *testing.T) {
	b := brokerOf("default", "")
	withSpec := func(spec string) resource {
		return resource{kind: "Trigger", namespace: "default", name: "t", spec: spec}
	}
	const subscriber = `subscriber: {uri: "http://127.0.0.1:1/"}`
	for _, c := range []struct{ name, manifest, want string }{
		{"a Broker of another namespace", manifest(b, withSpec(`{brokerRef: {apiVersion: eventing.knative.dev/v1, kind: Broker, name: default, namespace: other}, `+
			subscriber+`}`)), "another namespace"},
		{"unknown field", manifest(b, withSpec(`{broker: default, subscribr: {}}`)), "subscribr"},
		{"no subscriber", manifest(b, withSpec(`{broker: default}`)), "subscriber"},
		{"duplicate", manifest(b, b), "twice"},
		{"duration", manifest(brokerOf("default", `{delivery: {retry: 1, backoffPolicy: linear, backoffDelay: 1s}}`)), "backoffDelay"},
		{"negative retry", manifest(brokerOf("default", `{delivery: {retry: -1}}`)), "retry"},
		{"back-off policy", manifest(brokerOf("default", `{delivery: {retry: 1, backoffPolicy: slowly}}`)), "backoffPolicy"},
		{"filter", manifest(b, withSpec(`{broker: default, `+subscriber+`, filters: [{cesql: "((("}]}`)), "filters"},
		{"two dialects", manifest(b, withSpec(`{broker: default, `+subscriber+`, filters: [{exact: {type: a}, prefix: {type: a}}]}`)), "filters"},
		{"annotation", manifest(brokerOf("default", "", "max-bytes", "much")), "max-bytes"},
		{"unknown annotation", manifest(brokerOf("default", "", "max-bites", "1Mi")), "max-bites"},
		{"name", manifest(brokerOf("Default", "")), "Default"},
		{"YAML", manifest(b) + "---\n{", "YAML"},
		{"defaults", manifest(b) + "---\n" + configMap("clusterDefault: {delivery: {retri: 1}}"), "retri"},
	} {
		t.Run(c.name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "refused.yaml")
			if err := os.WriteFile(file, []byte(c.manifest), 0o600); err != nil {
				t.Fatal(err)
			}
			out, err := exec.CommandContext(t.Context(), built.kn, "run", "-f", file, "--store", t.TempDir(), "--listen", "127.0.0.1:0").CombinedOutput()
			var exit *exec.ExitError
			if !errors.As(err, &exit) || exit.ExitCode() != 2 {
				t.Fatalf("error %v, want exit code 2\n%s", err, out)
			}
			if !strings.Contains(string(out), file+":") || !strings.Contains(string(out), c.want) {
				t.Errorf("the message is to name the file, the line and %s: %s", c.want, out)
			}
		})
	}
}

// TestReferences has a Trigger whose ref is resolved, and two that lack something: those hold nothing.
func TestReferences(t *testing.T) {
	t.Parallel()
	s := subscribe(t, nil)
	b := brokerOf("default", "", "max-bytes", "1Mi")
	withRef := func(name, service, more string) resource {
		return resource{kind: "Trigger", namespace: "default", name: name,
			spec: fmt.Sprintf(`{broker: default, subscriber: {ref: {apiVersion: v1, kind: Service, name: %s}%s}}`, service, more)}
	}
	l := startLaptop(t, manifest(b, withRef("found", "known", ""), withRef("with-path", "known", ", uri: /path"), withRef("lost", "unknown", ""),
		triggerOf(b, "no-sink", s.URL+"/no-sink", `delivery: {deadLetterSink: {ref: {apiVersion: v1, kind: Service, name: nowhere}}}`)),
		"--resolve", "Service/default/known="+s.URL+"/known")
	reasons := map[string]string{"found": "", "with-path": "", "lost": "Service default/unknown", "no-sink": "Service default/nowhere"}
	for _, row := range get[triggerRow](t, l, "triggers") {
		want, known := reasons[row.Key.Name]
		if !known || row.Ready != (want == "") || !strings.Contains(row.Reason, want) {
			t.Errorf("Trigger %s: ready %t, reason %q, want %q", row.Key.Name, row.Ready, row.Reason, want)
		}
		delete(reasons, row.Key.Name)
	}
	if len(reasons) > 0 {
		t.Errorf("get triggers does not show %v", reasons)
	}
	if out := run(t, built.kn, "get", "triggers", "--store", l.store); !strings.Contains(out, "--resolve Service/default/unknown=URL") {
		t.Errorf("the table does not say what to do:\n%s", out)
	}

	// Three times what the log can hold: a Trigger that is not ready would hold it.
	for i := range 400 {
		id := fmt.Sprint("event-", i)
		eventually(t, 10*time.Second, id+" is accepted", func() error {
			if got := (call{url: l.url("/default/default"), header: event("t", id), body: strings.NewReader(big(8000))}).do(t); got.status != 202 {
				return fmt.Errorf("status %d: %s", got.status, got.body)
			}
			return nil
		})
	}
	s.gets(t, "/known", 400)
	s.gets(t, "/path", 400)
	l.drained(t)
	if n := len(s.at("/no-sink")); n != 0 {
		t.Errorf("a Trigger that is not ready got %d events", n)
	}
}
