package e2e

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// TestParkedRetrySurvivesCrash parks an event whose next retry is 20 s away, kills the program, and counts the attempts.
func TestParkedRetrySurvivesCrash(t *testing.T) {
	t.Parallel()
	s := subscribe(t, map[string]answers{"/picky": func(w http.ResponseWriter, r *http.Request, _ int) {
		if r.Header.Get("ce-id") == "fails" {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	}})
	b := brokerOf("default", "")
	picky := triggerOf(b, "picky", s.URL+"/picky",
		fmt.Sprintf(`delivery: {retry: 2, backoffPolicy: linear, backoffDelay: PT20S, deadLetterSink: {uri: "%s/dead"}}`, s.URL))
	picky.annotations = map[string]string{"jetstream.eventing.knative.dev/max-in-flight": "1"}
	l := startLaptop(t, manifest(b, picky))
	l.accepts(t, "/default/default", event("t", "fails", "ce-extra", "kept"), []byte("data"))
	eventually(t, 10*time.Second, "the event is parked and acknowledged", func() error { return l.parked(t, "broker_default_default") })

	for i := range 10 {
		id := fmt.Sprint("other-", i)
		l.accepts(t, "/default/default", event("t", id), nil)
		s.getsEvent(t, "/picky", id)
	}
	if n := len(s.of("/picky", "fails")); n != 2 {
		t.Errorf("%d attempts before the event is parked, want 2", n)
	}
	if rows := get[triggerRow](t, l, "triggers"); len(rows) != 1 || rows[0].Backlog != 1 {
		t.Errorf("get triggers shows %+v, want a backlog of 1", rows)
	}
	l.kill()
	l.start()
	l.says(t, "embedded; with its token in", 2)

	dead := s.getsEvent(t, "/dead", "fails")
	wantHeaders(t, dead, headers("ce-knativeerrorcode", "503", "ce-extra", "kept", "content-type", "application/json"))
	if string(dead.body) != "data" {
		t.Errorf("body %q", dead.body)
	}
	l.drained(t)
	attempts := s.of("/picky", "fails")
	if len(attempts) != 3 || len(s.at("/dead")) != 1 {
		t.Fatalf("%d attempts and %d dead letters, want 3 and 1", len(attempts), len(s.at("/dead")))
	}
	if pause := attempts[2].at.Sub(attempts[1].at); pause < 20*time.Second {
		t.Errorf("%s before the last attempt, want 20 s", pause)
	}
}

// parked looks into NATS: one message is in the address's directed stream, and none of its log is on its way to the consumer.
func (l *laptop) parked(t *testing.T, address string) error {
	t.Helper()
	url, err := os.ReadFile(filepath.Join(l.store, "nats.url"))
	if err != nil {
		return err
	}
	conn, err := nats.Connect(strings.TrimSpace(string(url)))
	if err != nil {
		return err
	}
	defer conn.Close()
	js, err := jetstream.New(conn)
	if err != nil {
		return err
	}
	directed, err := js.Stream(t.Context(), "kn_directed_"+address)
	if err != nil {
		return err
	}
	cursor, err := js.Consumer(t.Context(), "kn_log_"+address, "shared")
	if err != nil {
		return err
	}
	messages, pending := directed.CachedInfo().State.Msgs, cursor.CachedInfo().NumAckPending
	if messages != 1 || pending != 0 {
		return fmt.Errorf("%d messages are parked, %d of the log are on their way", messages, pending)
	}
	return nil
}
