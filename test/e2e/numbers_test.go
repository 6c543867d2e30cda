package e2e

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"
)

// numberRow is what kn-jetstream get shows as JSON of what is counted, for Brokers and for Triggers.
type numberRow struct {
	Key     struct{ Name string }
	Backlog int
	Oldest  time.Time
	Numbers struct {
		Accepted, Unmatched, Delivered, Dead, Retrying int
		Refused, Failed                                map[string]int
		Failures                                       []struct {
			Code           int
			Message, Event string
		}
	}
	Targets     struct{ Delivered int }
	DeadLetters int
}

// TestGetShowsWhatIsCounted sends events that are delivered, refused, wanted by nobody, given up and tried again.
func TestGetShowsWhatIsCounted(t *testing.T) {
	t.Parallel()
	s := subscribe(t, map[string]answers{"/refuses": says(http.StatusBadRequest, "out of order"), "/away": says(http.StatusServiceUnavailable, "away")})
	b := brokerOf("default", "")
	l := startLaptop(t, manifest(b,
		triggerOf(b, "takes", s.URL+"/takes", "filter: {attributes: {type: taken}}"),
		triggerOf(b, "refuses", s.URL+"/refuses", "filter: {attributes: {type: refused}}"),
		triggerOf(b, "away", s.URL+"/away", "filter: {attributes: {type: retried}}", "delivery: {retry: 100, backoffPolicy: exponential, backoffDelay: PT5S}")))
	for n, eventType := range []string{"taken", "taken", "taken", "refused", "retried", "unwanted", "unwanted"} {
		l.accepts(t, "/default/default", event(eventType, fmt.Sprint(n)), nil)
	}
	if got := (call{url: l.url("/default/default"), header: http.Header{"Ce-Id": {"no event"}}}).do(t); got.status != http.StatusBadRequest {
		t.Fatalf("status %d: %s", got.status, got.body)
	}

	eventually(t, 40*time.Second, "the Broker's numbers", func() error {
		rows := get[numberRow](t, l, "brokers")
		if n := rows[0].Numbers; n.Accepted != 7 || n.Unmatched != 2 || n.Refused["invalid"] != 1 || rows[0].Targets.Delivered != 3 || rows[0].DeadLetters != 1 {
			return fmt.Errorf("%+v", rows)
		}
		return nil
	})
	eventually(t, 40*time.Second, "the Triggers' numbers", func() error {
		for _, row := range get[numberRow](t, l, "triggers") {
			n, wrong := row.Numbers, false
			switch row.Key.Name {
			case "takes":
				wrong = n.Delivered != 3 || len(n.Failed) > 0
			case "refuses":
				wrong = n.Dead != 1 || row.DeadLetters != 1 || n.Failed["4xx"] != 1 || n.Failures[0].Code != 400 || n.Failures[0].Event != "3"
			case "away":
				wrong = n.Retrying != 1 || n.Failed["5xx"] == 0 || row.Backlog == 0 || time.Since(row.Oldest) > time.Hour
			}
			if wrong {
				return fmt.Errorf("%+v", row)
			}
		}
		return nil
	})
	wide := run(t, built.kn, "get", "triggers", "-o", "wide", "--store", l.store)
	for _, want := range []string{"LAST FAILURE", "4xx=1", "out of order"} {
		if !strings.Contains(wide, want) {
			t.Errorf("get -o wide lacks %q:\n%s", want, wide)
		}
	}
}
