package e2e

import (
	"fmt"
	"testing"
)

// TestATriggerBeginsWhereItsAnnotationSays adds Triggers to a Broker with a history.
func TestATriggerBeginsWhereItsAnnotationSays(t *testing.T) {
	t.Parallel()
	const events = 5
	s := subscribe(t, nil)
	b := brokerOf("default", "", "history", "1h")
	old := triggerOf(b, "old", s.URL+"/old")
	l := startLaptop(t, manifest(b, old))
	for n := range events {
		l.accepts(t, "/default/default", event("t", fmt.Sprint(n)), nil)
	}
	s.gets(t, "/old", events)
	l.drained(t)

	starting := func(name, start string) resource {
		added := triggerOf(b, name, s.URL+"/"+name)
		added.annotations = map[string]string{"jetstream.eventing.knative.dev/start": start}
		return added
	}
	wrong := starting("wrong", "yesterday")
	l.save(t, manifest(b, old, wrong))
	l.says(t, "metadata.annotations[jetstream.eventing.knative.dev/start]: invalid value: yesterday", 1)
	all, ago, fresh := starting("all", "all"), starting("ago", "1h"), starting("fresh", "new")
	l.save(t, manifest(b, old, all, ago, fresh))
	l.says(t, "trigger default/fresh of broker default/default  is ready", 1)
	s.gets(t, "/all", events)
	s.gets(t, "/ago", events)
	l.accepts(t, "/default/default", event("t", "after"), nil)
	for _, path := range []string{"/all", "/ago", "/fresh", "/old"} {
		s.getsEvent(t, path, "after")
	}

	// It began once: another file, and a restart, bring nothing back.
	l.drained(t)
	l.save(t, manifest(b, old, starting("all", "1h"), ago, fresh))
	l.kill()
	l.start()
	l.says(t, "is ready  send events to", 2)
	l.accepts(t, "/default/default", event("t", "last"), nil)
	for path, want := range map[string]int{"/all": events + 2, "/ago": events + 2, "/fresh": 2, "/old": events + 2} {
		s.getsEvent(t, path, "last")
		l.drained(t)
		if got := len(s.at(path)); got != want {
			t.Errorf("%s got %d events, want %d", path, got, want)
		}
	}
}
