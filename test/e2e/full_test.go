package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// TestFullLog fills the log of a Broker, one of whose Triggers gets nothing delivered, and then lets that subscriber recover.
func TestFullLog(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, delivery string
		subscriber     func(gate <-chan struct{}) answers
	}{
		{"a subscriber that never answers", `delivery: {retry: 0}`, waits},
		{"a subscriber that refuses, tried again soon", `delivery: {retry: 1000, backoffPolicy: linear, backoffDelay: PT0.1S}`,
			func(gate <-chan struct{}) answers { return until(gate, says(503, "")) }},
		{"a subscriber that refuses, tried again late", `delivery: {retry: 1000, backoffPolicy: exponential, backoffDelay: PT11S}`,
			func(gate <-chan struct{}) answers { return until(gate, says(503, "")) }},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			recovered := make(chan struct{})
			var delivered sync.Map // the ids that the subscriber of stuck has answered since it recovered
			answer := c.subscriber(recovered)
			s := subscribe(t, map[string]answers{"/stuck": func(w http.ResponseWriter, r *http.Request, nth int) {
				answer(w, r, nth)
				select {
				case <-recovered:
					delivered.Store(r.Header.Get("ce-id"), true)
				default:
				}
			}})
			b := brokerOf("default", "", "max-bytes", "1Mi")
			l := startLaptop(t, manifest(b, triggerOf(b, "stuck", s.URL+"/stuck", c.delivery), triggerOf(b, "healthy", s.URL+"/healthy")))
			ids, refused := l.fill(t, "trigger default/stuck")
			if !strings.Contains(refused.body, "broker default/default") || refused.header.Get("retry-after") == "" {
				t.Errorf("the answer is to name the Broker, and to say when to come back: %v %s", refused.header, refused.body)
			}
			t.Logf("accepted %d events before 507: %s", len(ids), strings.TrimSpace(refused.body))
			for _, id := range ids {
				s.getsEvent(t, "/healthy", id)
			}
			l.refusesBatch(t)

			close(recovered)
			eventually(t, 60*time.Second, "the ingress takes events again", func() error {
				id := fmt.Sprint("again-", len(ids))
				got := (call{url: l.url("/default/default"), header: event("t", id), body: bytes.NewReader(make([]byte, 8000))}).do(t)
				if got.status != http.StatusAccepted {
					return fmt.Errorf("status %d", got.status)
				}
				ids = append(ids, id)
				return nil
			})
			// What failed for the third time right before the subscriber recovered is tried again after 44 seconds.
			eventually(t, 90*time.Second, "everything that was accepted is delivered", func() error {
				missing := slices.DeleteFunc(slices.Clone(ids), func(id string) bool {
					_, stuck := delivered.Load(id)
					return stuck && len(s.of("/healthy", id)) > 0
				})
				if len(missing) > 0 {
					return fmt.Errorf("%d of %d are missing", len(missing), len(ids))
				}
				return nil
			})
			l.drained(t)
			for _, id := range ids {
				if n := len(s.of("/healthy", id)); n != 1 {
					t.Errorf("the healthy Trigger got %s %d times", id, n)
				}
			}
		})
	}
}

// fill posts events of 8 kB until one is refused on account of the holder, and returns the ids of those that were accepted. A log
// that is as small as this one is full for a moment, too, when it is due to be trimmed. What is parked for the holder leaves the log, until as
// much is parked as the log may hold.
func (l *laptop) fill(t *testing.T, holder string) (ids []string, refused answered) {
	t.Helper()
	eventually(t, 60*time.Second, "the log is full", func() error {
		for range 1000 {
			id := fmt.Sprint("fills-", len(ids))
			refused = call{url: l.url("/default/default"), header: event("t", id), body: bytes.NewReader(make([]byte, 8000))}.do(t)
			if refused.status != http.StatusAccepted {
				break
			}
			ids = append(ids, id)
		}
		if refused.status != http.StatusInsufficientStorage || !strings.Contains(refused.body, holder) {
			return fmt.Errorf("status %d: %s", refused.status, refused.body)
		}
		return nil
	})
	return ids, refused
}

// refusesBatch posts a batch to a full log: the answer tells how many of its events are stored.
func (l *laptop) refusesBatch(t *testing.T) {
	t.Helper()
	one := `{"specversion":"1.0","type":"t","source":"/e2e","id":"batch","data":"` + big(8000) + `"}`
	got := call{url: l.url("/default/default"), header: headers("content-type", "application/cloudevents-batch+json"),
		body: strings.NewReader("[" + one + "," + one + "," + one + "]")}.do(t)
	var report struct {
		Stored, Total *int
		Error         string
	}
	if err := json.Unmarshal([]byte(got.body), &report); err != nil || got.status != http.StatusInsufficientStorage {
		t.Fatalf("status %d, want 507 with JSON: %v %s", got.status, err, got.body)
	}
	if report.Stored == nil || *report.Stored != 0 || report.Total == nil || *report.Total != 3 ||
		!strings.Contains(report.Error, "default/stuck") || got.header.Get("retry-after") == "" {
		t.Errorf("the answer is %s, want that none of 3 are stored, and why: %v", got.body, got.header)
	}
}
