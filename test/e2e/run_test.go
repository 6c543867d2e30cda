package e2e

import (
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// laptop is a kn-jetstream run on files of its own.
type laptop struct {
	*process
	dir, file, store, listen string
}

func broker(triggers ...string) string {
	return strings.Join(append([]string{`
apiVersion: eventing.knative.dev/v1
kind: Broker
metadata: {name: default, annotations: {eventing.knative.dev/broker.class: NatsJetStreamBroker}}
spec: {delivery: {retry: 100, backoffPolicy: linear, backoffDelay: PT0.1S}}
`}, triggers...), "---\n")
}

func trigger(name, eventType, uri string) string {
	return fmt.Sprintf(`
apiVersion: eventing.knative.dev/v1
kind: Trigger
metadata: {name: %s}
spec:
  broker: default
  filter: {attributes: {type: %s}}
  subscriber: {uri: "%s"}
`, name, eventType, uri)
}

// startLaptop runs kn-jetstream on the manifest, with further flags, and waits until it says that the Broker default is ready;
// then every Trigger is that can be.
func startLaptop(t *testing.T, manifest string, flags ...string) *laptop {
	t.Helper()
	dir := t.TempDir()
	l := &laptop{dir: dir, file: filepath.Join(dir, "eventing.yaml"), store: filepath.Join(dir, "store"), listen: "127.0.0.1:" + freePort(t)}
	l.save(t, manifest)
	argv := append([]string{built.kn, "run", "-f", l.file, "--listen", l.listen}, flags...)
	if !slices.Contains(flags, "--nats") { // which has a store of its own
		argv = append(argv, "--store", l.store)
	}
	l.process = start(t, "kn-jetstream run", argv...)
	l.says(t, "broker default/default  is ready", 1)
	return l
}

// save replaces the file as an editor does: a new file in its place.
func (l *laptop) save(t *testing.T, manifest string) {
	t.Helper()
	next := l.file + ".next"
	if err := os.WriteFile(next, []byte(manifest), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(next, l.file); err != nil {
		t.Fatal(err)
	}
}

// says waits until the program has printed the text so often.
func (l *laptop) says(t *testing.T, text string, times int) {
	t.Helper()
	eventually(t, 20*time.Second, "kn-jetstream says "+text, func() error {
		select {
		case <-l.done:
			t.Fatalf("kn-jetstream ended\n%s", l.output)
		default:
		}
		if n := strings.Count(l.output.String(), text); n < times {
			return fmt.Errorf("%d of %d times\n%s", n, times, l.output)
		}
		return nil
	})
}

func (l *laptop) post(t *testing.T, eventType, id string) {
	t.Helper()
	out := run(t, built.kn, "send", "http://"+l.listen+"/default/default", "--type", eventType, "--id", id, "--data", "{}")
	if !strings.Contains(out, "accepted 1") {
		t.Fatalf("the event is not accepted: %s", out)
	}
}

func delivered(r *receiver, id string) func() error {
	return func() error {
		if !r.has(id) {
			return errors.New("not delivered")
		}
		return nil
	}
}

func TestRunSurvivesRestartWithUndeliveredEvents(t *testing.T) {
	t.Parallel()
	up := make(chan struct{})
	subscriber := receive(t, func(string) int {
		select {
		case <-up:
			return http.StatusOK
		default:
			return http.StatusServiceUnavailable
		}
	})
	l := startLaptop(t, broker(trigger("orders", "order", subscriber.URL)))
	l.says(t, "trigger default/orders of broker default/default  is ready", 1)
	l.post(t, "order", "kept")
	if code := l.terminate(35 * time.Second); code != 0 {
		t.Fatalf("exit code %d after an interrupt, want 0", code)
	}
	close(up)
	l.start()
	eventually(t, 30*time.Second, "the event comes after the restart", delivered(subscriber, "kept"))
}

func TestRunAppliesSavedChanges(t *testing.T) {
	t.Parallel()
	first, second := receive(t, nil), receive(t, nil)
	l := startLaptop(t, broker(trigger("one", "a", first.URL)))
	l.says(t, "trigger default/one of broker default/default  is ready", 1)
	l.post(t, "a", "before")
	eventually(t, 10*time.Second, "the first event", delivered(first, "before"))

	began := time.Now()
	l.save(t, broker(trigger("one", "a", first.URL), trigger("two", "b", second.URL)))
	l.says(t, "trigger default/two of broker default/default  is ready", 1)
	t.Logf("the change was in force after %s", time.Since(began))
	l.post(t, "b", "to-two")
	l.post(t, "a", "to-one")
	eventually(t, 10*time.Second, "an event for the new Trigger", delivered(second, "to-two"))
	eventually(t, 10*time.Second, "an event for the old Trigger", delivered(first, "to-one"))

	l.save(t, broker("kind: Trigger\napiVersion: eventing.knative.dev/v1\nmetadata: {name: bad}\nspec: {brokr: x}\n"))
	l.says(t, "The files are not applied; what ran goes on", 1)
	l.says(t, l.file+":", 1)
	l.post(t, "a", "still-served")
	eventually(t, 10*time.Second, "the old state holds after a bad file", delivered(first, "still-served"))
	if events, requests := first.counts(); events != requests {
		t.Errorf("%d requests for %d events: something was repeated", requests, events)
	}
}

func TestRunRefusesBadFilesAtTheStart(t *testing.T) {
	file := filepath.Join(t.TempDir(), "bad.yaml")
	if err := os.WriteFile(file, []byte(broker()+"---\nkind: Brokr\napiVersion: eventing.knative.dev/v1\nmetadata: {name: x}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := exec.CommandContext(t.Context(), built.kn, "run", "-f", file, "--store", t.TempDir(), "--listen", "127.0.0.1:0").CombinedOutput() //nolint:gosec // the program under test
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.ExitCode() != 2 {
		t.Fatalf("error %v, want exit code 2\n%s", err, out)
	}
	if !strings.Contains(string(out), file+":") {
		t.Errorf("the message does not name file and line: %s", out)
	}
}

func TestSecondRunSaysWhoHoldsTheStore(t *testing.T) {
	l := startLaptop(t, broker())
	out, err := exec.CommandContext(t.Context(), built.kn, "run", "--store", l.store, "--listen", "127.0.0.1:0").CombinedOutput() //nolint:gosec // the program under test
	if err == nil {
		t.Fatal("a second run on the same store started")
	}
	if want := fmt.Sprintf("process %d", l.cmd.Process.Pid); !strings.Contains(string(out), want) {
		t.Errorf("the message is %q, want it to name %s", out, want)
	}
}

func TestApplyGetDelete(t *testing.T) {
	t.Parallel()
	subscriber := receive(t, nil)
	c := startCluster(t, broker(trigger("orders", "order", subscriber.URL)))
	get := func(what string) string { return run(t, built.kn, "get", what, "--nats", c.natsURL) }
	eventually(t, 20*time.Second, "Broker and Trigger are ready", func() error {
		if out := get("brokers") + get("triggers"); strings.Count(out, "true") != 2 {
			return errors.New(out)
		}
		return nil
	})
	run(t, built.kn, "send", c.urls[0], "--type", "order", "--id", "1", "--data", "{}")
	eventually(t, 10*time.Second, "the event", delivered(subscriber, "1"))
	backlog := func(want int) func() error {
		return func() error {
			if rows := getFrom[triggerRow](t, "triggers", "--nats", c.natsURL); len(rows) != 1 || rows[0].Backlog != want {
				return fmt.Errorf("%+v", rows)
			}
			return nil
		}
	}
	eventually(t, 10*time.Second, "the event is acknowledged", backlog(0))

	c.filter[0].kill()
	c.filter[1].kill()
	run(t, built.kn, "send", c.urls[1], "--type", "order", "--id", "2", "--data", "{}")
	eventually(t, 10*time.Second, "the backlog is shown", backlog(1))
	run(t, built.kn, "delete", "-f", c.manifest, "--nats", c.natsURL, "--wait=false")
	if out := get("brokers"); strings.Contains(out, "default") {
		t.Errorf("the Broker is still shown after delete:\n%s", out)
	}
	eventually(t, 10*time.Second, "the ingress knows that the Broker is gone", func() error {
		out, _ := exec.CommandContext(t.Context(), built.kn, "send", c.urls[0]).CombinedOutput() //nolint:gosec // the program under test
		if !strings.Contains(string(out), "404") {
			return errors.New(string(out))
		}
		return nil
	})
}
