package e2e

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// TestReplayToOneTrigger is docs/operations.md, "A subscriber has lost what it got".
func TestReplayToOneTrigger(t *testing.T) {
	t.Parallel()
	const events = 10
	s := subscribe(t, nil)
	b := brokerOf("default", "")
	b.annotations["jetstream.eventing.knative.dev/history"] = "1h"
	l := startLaptop(t, manifest(b, triggerOf(b, "orders", s.URL+"/orders"), triggerOf(b, "other", s.URL+"/other")))
	for n := range events {
		l.accepts(t, "/default/default", event("order", fmt.Sprint(n)), fmt.Appendf(nil, "{\n  \"n\": %d\n}\n", n))
	}
	l.accepts(t, "/default/default", event("refund", "r"), nil)
	s.gets(t, "/orders", events+1)
	s.gets(t, "/other", events+1)
	l.drained(t)

	l.does(t, "10 events would be replayed, stored from 20", "replay", "orders", "--from", "1h", "--type", "order", "--dry-run")
	l.does(t, "1 events would be replayed", "replay", "orders", "--filter", "id = '3'", "--dry-run")
	if said, code := l.kn(t, "replay", "orders"); code != 2 || !strings.Contains(said, "--all") {
		t.Errorf("a replay of nothing said ends with %d and says %s", code, said)
	}
	if said, code := l.kn(t, "replay", "orders", "--resume"); code != 1 || !strings.Contains(said, "no replay for it was begun") {
		t.Errorf("a replay that was not begun goes on with %d and says %s", code, said)
	}
	l.does(t, "10 events replayed to trigger default/orders", "replay", "orders", "--from", "1h", "--type", "order")
	s.gets(t, "/orders", 2*events+1)
	l.drained(t)
	for n := range events {
		visits := s.of("/orders", fmt.Sprint(n))
		if len(visits) != 2 || visits[0].header.Get("ce-jetstreamreplay") != "" || string(visits[0].body) != string(visits[1].body) {
			t.Fatalf("event %d comes %d times, want as it came and once more", n, len(visits))
		}
		if at, err := time.Parse(time.RFC3339Nano, visits[1].header.Get("ce-jetstreamreplay")); err != nil || time.Since(at) > time.Hour {
			t.Errorf("event %d is marked %s: %v", n, at, err)
		}
	}
	if n := len(s.at("/other")); n != events+1 {
		t.Errorf("the other Trigger gets %d events, want each once", n)
	}
}

// TestReplaySaysFromWhenOnThereIsHistory has a Broker that keeps nothing that was delivered.
func TestReplaySaysFromWhenOnThereIsHistory(t *testing.T) {
	t.Parallel()
	s := subscribe(t, nil)
	b := brokerOf("default", "")
	l := startLaptop(t, manifest(b, triggerOf(b, "orders", s.URL+"/orders")))
	l.accepts(t, "/default/default", event("order", "1"), nil)
	s.getsEvent(t, "/orders", "1")
	eventually(t, time.Minute, "the log is trimmed, and the command says so", func() error {
		said, code := l.kn(t, "replay", "orders", "--all", "--dry-run")
		if code != 0 || !strings.Contains(said, "The log has no events") || !strings.Contains(said, "0 events would be replayed") {
			return fmt.Errorf("it ends with %d and says %s", code, said)
		}
		return nil
	})
}
