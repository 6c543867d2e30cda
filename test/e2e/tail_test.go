package e2e

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// tail runs kn-jetstream tail on the laptop's store, and returns once that looks at the log.
func (l *laptop) tail(t *testing.T, args ...string) *process {
	t.Helper()
	p := start(t, "kn-jetstream tail", append(append([]string{built.kn, "tail"}, args...), "--store", l.store)...)
	eventually(t, 20*time.Second, "the tail has begun", func() error {
		if !strings.Contains(p.output.String(), "interrupt to end") {
			return errors.New(p.output.String())
		}
		return nil
	})
	return p
}

// TestTailShowsWhatIsStored is docs/operations.md, "Somebody asks whether an event comes in at all": as people read it and as JSON,
// and with nothing left in NATS of a tail that is killed.
func TestTailShowsWhatIsStored(t *testing.T) {
	t.Parallel()
	s := subscribe(t, nil)
	b := brokerOf("default", "")
	l := startLaptop(t, manifest(b, triggerOf(b, "orders", s.URL+"/orders", "filter: {attributes: {type: order}}")))
	before := l.consumers(t, "kn_log_broker_default_default")
	l.accepts(t, "/default/default", event("order", "old"), nil)
	all := l.tail(t, "broker", "default")
	matching := l.tail(t, "trigger", "orders", "-o", "json", "--filter", "id != '2'")
	l.accepts(t, "/default/default", event("refund", "1"), []byte(`{"n": 1}`))
	l.accepts(t, "/default/default", event("order", "2"), nil)
	l.accepts(t, "/default/default", event("order", "3"), []byte(`{"n": 3}`))

	for _, p := range []*process{all, matching} {
		eventually(t, 20*time.Second, "the last event is shown", func() error {
			if shown := p.output.String(); !strings.Contains(shown, `"n": 3`) {
				return errors.New(shown)
			}
			return nil
		})
	}
	shown := all.output.String()
	if strings.Contains(shown, "old") || !inOrder(shown, "Showing events of broker default/default", "id:", "1", "data:", `"n": 1`, "id:", "2", "id:", "3") {
		t.Errorf("the Broker's events are shown as\n%s", shown)
	}
	said, shown, _ := strings.Cut(matching.output.String(), "\n")
	var only struct {
		ID   string
		Data struct{ N int }
	}
	if err := json.Unmarshal([]byte(shown), &only); err != nil || only.ID != "3" || only.Data.N != 3 {
		t.Errorf("after %q the Trigger's event is shown as %s: %v", said, shown, err)
	}
	if during := l.consumers(t, "kn_log_broker_default_default"); !slices.Equal(during, before) {
		t.Errorf("the log has the consumers %q, want %q", during, before)
	}
	all.kill()
	if code := matching.terminate(10 * time.Second); code != 0 {
		t.Errorf("a tail that is interrupted ends with %d", code)
	}
	s.gets(t, "/orders", 3)
	if said, code := l.kn(t, "tail", "trigger", "none"); code != 1 || !strings.Contains(said, "trigger default/none: not found") {
		t.Errorf("a tail of nobody ends with %d and says %s", code, said)
	}
}

// consumers names those of a stream of the laptop.
func (l *laptop) consumers(t *testing.T, stream string) []string {
	t.Helper()
	url, err := os.ReadFile(filepath.Join(l.store, "nats.url"))
	if err != nil {
		t.Fatal(err)
	}
	conn, err := nats.Connect(strings.TrimSpace(string(url)))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	js, err := jetstream.New(conn)
	if err != nil {
		t.Fatal(err)
	}
	s, err := js.Stream(t.Context(), stream)
	if err != nil {
		t.Fatal(err)
	}
	names := s.ConsumerNames(t.Context())
	var all []string
	for name := range names.Name() {
		all = append(all, name)
	}
	if err := names.Err(); err != nil {
		t.Fatal(err)
	}
	slices.Sort(all)
	return all
}
