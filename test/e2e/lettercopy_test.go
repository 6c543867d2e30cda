package e2e

import (
	"fmt"
	"net/http"
	"slices"
	"testing"
)

// TestACopyOfADeadLetterIsKept has a sink that gets every letter, and a dead-letter stream that keeps what it has room for of one
// Trigger's, and nothing of the other's.
func TestACopyOfADeadLetterIsKept(t *testing.T) {
	t.Parallel()
	const events, size = 8, 8000 // of which 32Ki hold three
	s := subscribe(t, map[string]answers{"/refuses": says(http.StatusBadRequest, "no"), "/sink": atFirst(1, says(503, ""), says(202, ""))})
	b := brokerOf("default", fmt.Sprintf("{delivery: {retry: 0, deadLetterSink: {uri: %q}}}", s.URL+"/sink"),
		"dead-letter-copy", "true", "dead-letter-max-bytes", "32Ki")
	copied, other := triggerOf(b, "copied", s.URL+"/refuses"), triggerOf(b, "other", s.URL+"/refuses")
	other.annotations = map[string]string{"jetstream.eventing.knative.dev/dead-letter-copy": "false"}
	l := startLaptop(t, manifest(b, copied, other))
	l.accepts(t, "/default/default", event("t", "0"), make([]byte, size))
	s.gets(t, "/sink", 3) // the first request was refused
	l.drained(t)
	if rows := l.letters(t); len(rows) != 1 || rows[0].Target != "default/copied" || rows[0].Event.ID != "0" || rows[0].Code != http.StatusBadRequest {
		t.Errorf("the dead letters are %+v, want the copy of one Trigger's", rows)
	}
	for n := 1; n < events; n++ {
		l.accepts(t, "/default/default", event("t", fmt.Sprint(n)), make([]byte, size))
	}
	l.drained(t)
	for n := range events {
		answered := len(s.of("/sink", fmt.Sprint(n)))
		if want := 2; answered < want {
			t.Errorf("the sink gets event %d %d times, want it from both Triggers", n, answered)
		}
	}
	rows := l.letters(t)
	if n := len(rows); n == 0 || n > 3 || slices.ContainsFunc(rows, func(r letterRow) bool { return r.Target != "default/copied" }) {
		t.Errorf("%d copies are kept: %+v", n, rows)
	}
}
