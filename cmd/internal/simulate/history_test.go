package simulate

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	cloudevents "github.com/cloudevents/sdk-go/v2"
	"knative.dev/eventing/pkg/eventfilter"
	"knative.dev/eventing/pkg/eventfilter/attributes"
)

// record is what has become of one event.
type record struct {
	kind      string
	accepted  bool
	delivered map[string]int // by target: requests that were answered with 2xx
	dead      map[string]int // by target: dead letters
	lines     []string
}

// history is what happened to every event. Safe for concurrent use.
type history struct {
	began time.Time

	mu     sync.Mutex
	events map[string]*record
	faults []string
}

func newHistory() *history { return &history{began: time.Now(), events: map[string]*record{}} }

// note appends a line to the history of an event.
func (h *history) note(id string, change func(*record), format string, args ...any) {
	h.mu.Lock()
	defer h.mu.Unlock()
	r := h.events[id]
	if r == nil {
		r = &record{delivered: map[string]int{}, dead: map[string]int{}}
		h.events[id] = r
	}
	change(r)
	r.lines = append(r.lines, fmt.Sprintf("%12s %s", time.Since(h.began).Round(time.Microsecond), fmt.Sprintf(format, args...)))
}

func (h *history) fault(format string, args ...any) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.faults = append(h.faults, fmt.Sprintf("%12s %s", time.Since(h.began).Round(time.Microsecond), fmt.Sprintf(format, args...)))
}

// wants tells by upstream's own filter whether a target gets events of this kind.
func wants(s subscriber, id, kind string) bool {
	if s.kind == "" {
		return true
	}
	e := cloudevents.NewEvent()
	e.SetID(id)
	e.SetSource("/simulate")
	e.SetType(kind)
	return attributes.NewAttributesFilter(map[string]string{"type": s.kind}).Filter(context.Background(), e) != eventfilter.FailFilter
}

// settled tells whether every accepted event has reached every target that it is for, or its dead letter sink.
func (h *history) settled(subscribers []subscriber) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	for id, r := range h.events {
		for _, s := range subscribers {
			if r.accepted && wants(s, id, r.kind) && r.delivered[s.name]+r.dead[s.name] == 0 {
				return false
			}
		}
	}
	return true
}

// check says what was promised and not kept, each with the event's history, and counts what came more than once.
func (h *history) check(subscribers []subscriber) (broken []string, duplicates int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for id, r := range h.events {
		for _, s := range subscribers {
			got := r.delivered[s.name] + r.dead[s.name]
			what := ""
			switch {
			case got > 0 && !wants(s, id, r.kind):
				what = "it got what does not match"
			case got == 0 && r.accepted && wants(s, id, r.kind):
				what = "accepted, and neither delivered nor dead-lettered"
			case got > 1 && len(h.faults) == 0:
				what = "delivered more than once, and no fault explains it"
			}
			duplicates += max(0, got-1)
			if what != "" {
				broken = append(broken, fmt.Sprintf("%s, %s: %s\n%s", id, s.name, what, strings.Join(r.lines, "\n")))
			}
		}
	}
	slices.Sort(broken)
	return broken, duplicates
}

func report(t *testing.T, h *history, broken []string) {
	for _, b := range broken[:min(3, len(broken))] {
		t.Errorf("%s\nfaults:\n%s", b, strings.Join(h.faults, "\n"))
	}
}
