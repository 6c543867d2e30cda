package e2e

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"
)

// describedRow is what kn-jetstream describe shows as JSON of a Broker or Trigger itself.
type describedRow struct {
	numberRow
	Ready          bool
	Reason, Paused string
	PausedByHandle bool
}

// description is what kn-jetstream describe shows as JSON, as far as the tests look at it.
type description struct {
	Address, Target *describedRow
	Targets         []describedRow
	Settings        []struct{ Name, Value, From string }
	Streams         []struct {
		Name, Use       string
		Messages, Limit int
		Consumers       []struct{ Name string }
	}
}

// has reports whether a setting has the value, and comes from there.
func (d description) has(name, value, from string) bool {
	return slices.Contains(d.Settings, struct{ Name, Value, From string }{name, value, from})
}

// messages is how many the stream of this use holds; -1 without one that has a limit.
func (d description) messages(use string) int {
	for _, s := range d.Streams {
		if s.Use == use && s.Limit > 0 {
			return s.Messages
		}
	}
	return -1
}

func (l *laptop) describe(t *testing.T, kind, name string) (d description) {
	t.Helper()
	output, err := exec.CommandContext(t.Context(), built.kn, "describe", kind, name, "-o", "json", "--store", l.store).Output() //nolint:gosec // the test's own program
	if err == nil {
		err = json.Unmarshal(output, &d)
	}
	if err != nil {
		t.Fatalf("describe %s %s: %v\n%s", kind, name, err, output)
	}
	return d
}

// TestDescribeSaysWhatIsKnown is docs/operations.md, "One Broker, Channel, Trigger or Subscription behaves oddly".
func TestDescribeSaysWhatIsKnown(t *testing.T) {
	t.Parallel()
	s := subscribe(t, map[string]answers{"/refuses": says(http.StatusBadRequest, "out of order")})
	b := brokerOf("default", "", "max-consumers", "50")
	takes, refuses := triggerOf(b, "takes", s.URL+"/takes", "filter: {attributes: {type: taken}}"), triggerOf(b, "refuses", s.URL+"/refuses", "filter: {attributes: {type: refused}}")
	refuses.annotations = map[string]string{"jetstream.eventing.knative.dev/max-in-flight": "7"}
	l := startLaptop(t, manifest(b, takes, refuses))
	for n, eventType := range []string{"taken", "taken", "refused"} {
		l.accepts(t, "/default/default", event(eventType, fmt.Sprint(n)), nil)
	}
	if got := (call{url: l.url("/default/default"), header: http.Header{"Ce-Id": {"no event"}}}).do(t); got.status != http.StatusBadRequest {
		t.Fatalf("status %d: %s", got.status, got.body)
	}
	eventually(t, 40*time.Second, "the Broker's description", func() error {
		d := l.describe(t, "broker", "default")
		a := d.Address
		if !a.Ready || a.Numbers.Accepted != 3 || a.Numbers.Refused["invalid"] != 1 || a.Numbers.Failures[0].Code != 400 || a.Targets.Delivered != 2 ||
			len(d.Targets) != 2 || !d.has("max-consumers", "50", "annotation") || !d.has("replicas", "1", "default") || !d.has("max-bytes", "67108864", "") ||
			d.messages("log") < 0 || d.messages("directed") != 0 || d.messages("dead letters") != 1 || d.Streams[0].Consumers[0].Name != "shared" {
			return fmt.Errorf("%+v %+v", d.Address, d)
		}
		return nil
	})
	eventually(t, 40*time.Second, "the Trigger's description", func() error {
		d := l.describe(t, "trigger", "refuses")
		r := d.Target
		if !r.Ready || r.Numbers.Failed["4xx"] != 1 || r.DeadLetters != 1 || r.Numbers.Failures[0].Event != "2" ||
			!d.has("max-in-flight", "7", "annotation") || d.messages("log") < 0 {
			return fmt.Errorf("%+v %+v", d.Target, d)
		}
		return nil
	})
	l.does(t, "out of order", "describe", "trigger", "refuses")
	l.does(t, "Use: dead letters", "describe", "trigger", "refuses", "-o", "yaml")
	l.does(t, "kn_log_broker_default_default", "describe", "broker", "default")
	if said, code := l.kn(t, "describe", "broker", "none"); code != 1 || !strings.Contains(said, "broker default/none: not found") {
		t.Errorf("describing what is not there ends with %d and says %s", code, said)
	}
}

// TestGetShowsThatABrokerIsPaused pauses it by the command, and then by an annotation too, which goes first.
func TestGetShowsThatABrokerIsPaused(t *testing.T) {
	t.Parallel()
	s := subscribe(t, nil)
	b := brokerOf("default", "")
	orders := triggerOf(b, "orders", s.URL+"/orders")
	l := startLaptop(t, manifest(b, orders))
	shows := func(why string, byHandle bool) {
		t.Helper()
		eventually(t, 20*time.Second, "get shows that the Broker is paused: "+why, func() error {
			row := get[describedRow](t, l, "brokers")[0]
			if !row.Ready || row.Paused != why || row.PausedByHandle != byHandle || !strings.HasPrefix(row.Reason, "paused since 20") || !strings.HasSuffix(row.Reason, ": "+why) {
				return fmt.Errorf("%+v", row)
			}
			return nil
		})
	}
	l.does(t, "trigger default/orders is paused since ", "pause", "broker", "default", "--reason", "the shop moves")
	shows("the shop moves", true)
	l.does(t, ": the shop moves", "get", "brokers", "-o", "wide")
	l.does(t, "paused: the shop moves", "get", "brokers", "-o", "yaml")
	l.does(t, "broker/default/default\n", "get", "brokers", "-o", "name")
	if d := l.describe(t, "broker", "default"); !d.has("paused", "the shop moves", "handle") {
		t.Errorf("described are %+v", d.Settings)
	}
	l.save(t, manifest(brokerOf("default", "", "paused", "an audit"), orders))
	shows("an audit", false)
	if d := l.describe(t, "trigger", "orders"); !d.has("paused", "its Broker is paused: an audit", "annotation") {
		t.Errorf("described are %+v", d.Settings)
	}
	l.save(t, manifest(b, orders))
	shows("the shop moves", true)
	l.does(t, "trigger default/orders is resumed", "resume", "broker", "default")
	eventually(t, 20*time.Second, "get shows that nobody pauses it", func() error {
		if row := get[describedRow](t, l, "brokers")[0]; !row.Ready || row.Paused != "" || row.Reason != "" {
			return fmt.Errorf("%+v", row)
		}
		return nil
	})
}
