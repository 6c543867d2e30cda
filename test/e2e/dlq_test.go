package e2e

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// letterRow is what kn-jetstream dlq list shows as JSON, as far as the tests look at it.
type letterRow struct {
	Target, Reason string
	Code           int
	Event          struct{ ID string }
}

// dlq runs kn-jetstream dlq on the laptop's store, and returns the standard output.
func (l *laptop) dlq(t *testing.T, args ...string) string {
	t.Helper()
	argv := append(append([]string{"dlq"}, args...), "--store", l.store)
	output, err := exec.CommandContext(t.Context(), built.kn, argv...).Output() //nolint:gosec // the test's own program
	if err != nil {
		t.Fatalf("%v: %v\n%s", argv, err, output)
	}
	return string(output)
}

func (l *laptop) letters(t *testing.T, args ...string) []letterRow {
	t.Helper()
	var rows []letterRow
	if err := json.Unmarshal([]byte(l.dlq(t, append([]string{"list", "-o", "json"}, args...)...)), &rows); err != nil {
		t.Fatal(err)
	}
	return rows
}

// TestDeadLettersComeBack is docs/operations.md, "A subscriber failed": the letters are listed, the subscriber is mended, and each is
// delivered once, to nobody else.
func TestDeadLettersComeBack(t *testing.T) {
	t.Parallel()
	const events = 5
	mended := make(chan struct{})
	s := subscribe(t, map[string]answers{"/orders": until(mended, says(http.StatusBadRequest, "out of order"))})
	b := brokerOf("default", "")
	l := startLaptop(t, manifest(b, triggerOf(b, "orders", s.URL+"/orders"), triggerOf(b, "other", s.URL+"/other")))
	for n := range events {
		l.accepts(t, "/default/default", event("order", fmt.Sprint(n)), fmt.Appendf(nil, "{\n  \"n\": %d\n}\n", n))
	}
	l.drained(t)

	rows := l.letters(t)
	if len(rows) != events || rows[0].Target != "default/orders" || rows[0].Code != http.StatusBadRequest {
		t.Fatalf("the dead letters are %+v, want %d for the Trigger orders with the status 400", rows, events)
	}
	if shown := l.dlq(t, "show", "3"); !strings.Contains(shown, "out of order") || !strings.Contains(shown, `"n": 3`) {
		t.Errorf("a dead letter is shown as\n%s", shown)
	}
	if n := len(l.letters(t, "--target", "other")) + len(l.letters(t, "--since", "1h", "--id", "2")); n != 1 {
		t.Errorf("%d letters are selected by target and by id, want one", n)
	}
	if _, err := exec.CommandContext(t.Context(), built.kn, "dlq", "retry", "--store", l.store).Output(); exitCode(err) != 2 {
		t.Errorf("a retry without a selection ends with %v, want the exit code 2", err)
	}
	if said := l.dlq(t, "retry", "--all", "--dry-run"); said != "5 dead letters would be retried\n" || len(l.letters(t)) != events {
		t.Errorf("a dry run says %q, and leaves %d letters", said, len(l.letters(t)))
	}

	close(mended)
	if said := l.dlq(t, "retry", "--all"); said != "5 dead letters retried\n" {
		t.Errorf("the retry says %q", said)
	}
	s.gets(t, "/orders", 2*events)
	l.drained(t)
	for n := range events {
		visits := s.of("/orders", fmt.Sprint(n))
		if len(visits) != 2 {
			t.Fatalf("event %d comes %d times, want once more", n, len(visits))
		}
		wantHeaders(t, visits[1], headers("ce-jetstreamretry", "1"))
		if string(visits[1].body) != string(visits[0].body) {
			t.Errorf("event %d has the data %q, want %q", n, visits[1].body, visits[0].body)
		}
	}
	if n := len(s.at("/other")); n != events {
		t.Errorf("the other Trigger gets %d events, want each once", n)
	}
	if rows := get[brokerRow](t, l, "brokers"); len(rows) != 1 || rows[0].DeadLetters != 0 {
		t.Errorf("the Brokers are %+v, want no dead letters", rows)
	}
}

// TestDeadLettersAreExportedAndSentBack sends what was exported to another Broker.
func TestDeadLettersAreExportedAndSentBack(t *testing.T) {
	t.Parallel()
	s := subscribe(t, map[string]answers{"/refuses": says(http.StatusBadRequest, "no")})
	b, other := brokerOf("default", ""), brokerOf("other", "")
	l := startLaptop(t, manifest(b, other, triggerOf(b, "refuses", s.URL+"/refuses"), triggerOf(other, "takes", s.URL+"/takes")))
	bodies := []string{"{\n  \"n\": 1\n}\n", "text\x00\xff", ""}
	for n, body := range bodies {
		l.accepts(t, "/default/default", event("order", fmt.Sprint(n), "ce-extra", "ä"), []byte(body))
	}
	l.drained(t)

	file := filepath.Join(l.dir, "letters.jsonl")
	exported := l.dlq(t, "export", "--broker", "default")
	if lines := strings.Count(exported, "\n"); lines != len(bodies) {
		t.Fatalf("%d lines are exported, want %d:\n%s", lines, len(bodies), exported)
	}
	if err := os.WriteFile(file, []byte(exported), 0o600); err != nil {
		t.Fatal(err)
	}
	if said := l.dlq(t, "drop", "--broker", "default"); said != "3 dead letters dropped\n" || len(l.letters(t)) != 0 {
		t.Errorf("dropping them says %q, and leaves %d", said, len(l.letters(t)))
	}
	run(t, built.kn, "send", l.url("/default/other"), "--file", file)
	for n, body := range bodies {
		visit := s.getsEvent(t, "/takes", fmt.Sprint(n))
		wantHeaders(t, visit, headers("ce-extra", "%C3%A4", "content-type", "application/json",
			"ce-knativeerrorcode", "400", "ce-knativeerrordata", "bm8=", "ce-knativeerrortarget", "default/refuses"))
		if string(visit.body) != body {
			t.Errorf("event %d has the data %q, want %q", n, visit.body, body)
		}
	}
}

func exitCode(err error) int {
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return exit.ExitCode()
	}
	return 0
}
