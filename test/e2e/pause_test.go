package e2e

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// TestAPausedTriggerGetsItsEventsWhenItIsResumed pauses a Trigger beside another one, restarts the program meanwhile, and counts.
func TestAPausedTriggerGetsItsEventsWhenItIsResumed(t *testing.T) {
	t.Parallel()
	s := subscribe(t, nil)
	b := brokerOf("default", "")
	goesOn := triggerOf(b, "goes-on", s.URL+"/goes-on")
	resumed := triggerOf(b, "paused", s.URL+"/paused")
	paused := resumed
	paused.annotations = map[string]string{"jetstream.eventing.knative.dev/paused": "the shop moves"}
	l := startLaptop(t, manifest(b, goesOn, resumed))
	l.accepts(t, "/default/default", event("t", "before"), nil)
	s.getsEvent(t, "/paused", "before")

	l.save(t, manifest(b, goesOn, paused))
	l.says(t, "Trigger default/paused is paused: the shop moves", 1)
	eventually(t, 20*time.Second, "get shows that the Trigger is paused", func() error {
		for _, row := range get[triggerRow](t, l, "triggers") {
			if row.Key.Name == "paused" && (!row.Ready || !strings.HasSuffix(row.Reason, ": the shop moves")) {
				return fmt.Errorf("ready %t, %q", row.Ready, row.Reason)
			}
		}
		return nil
	})
	const events = 50
	for i := range events {
		id := fmt.Sprint("meanwhile-", i)
		l.accepts(t, "/default/default", event("t", id), nil)
		s.getsEvent(t, "/goes-on", id)
	}
	l.kill()
	l.start()
	l.says(t, "embedded; with its token in", 2)
	eventually(t, 20*time.Second, "all of them wait for the Trigger", func() error {
		for _, row := range get[triggerRow](t, l, "triggers") {
			if row.Key.Name == "paused" && row.Backlog < events {
				return fmt.Errorf("%d", row.Backlog)
			}
		}
		return nil
	})
	for _, v := range s.at("/paused") {
		if strings.HasPrefix(v.id(), "meanwhile") {
			t.Fatalf("%s was delivered while the Trigger is paused", v.id())
		}
	}

	l.save(t, manifest(b, goesOn, resumed))
	for i := range events {
		s.getsEvent(t, "/paused", fmt.Sprint("meanwhile-", i))
	}
	l.drained(t)
}
