package simulate

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/route"
)

// tally is what seeds have been through, so that a run shows what it has tried and what it has not.
type tally struct {
	Seeds, Events, Requests int
	Virtual                 time.Duration
	Faults                  map[string]int // by kind
	States                  map[string]int // that events and targets have come into
}

// tallyMark begins the line with which the process of a seed says its tally.
const tallyMark = "tally "

func newTally() *tally { return &tally{Faults: map[string]int{}, States: map[string]int{}} }

func (y *tally) line() string {
	data, _ := json.Marshal(y) // it is made of numbers
	return tallyMark + string(data)
}

// add adds what the process of a seed has printed.
func (y *tally) add(output string) error {
	_, line, found := strings.Cut(output, tallyMark)
	if !found {
		return nil
	}
	line, _, _ = strings.Cut(line, "\n")
	one := newTally()
	if err := json.Unmarshal([]byte(line), one); err != nil {
		return fmt.Errorf("%q: %w", line, err)
	}
	y.Seeds, y.Events, y.Requests, y.Virtual = y.Seeds+one.Seeds, y.Events+one.Events, y.Requests+one.Requests, y.Virtual+one.Virtual
	for into, from := range map[*map[string]int]map[string]int{&y.Faults: one.Faults, &y.States: one.States} {
		for what, n := range from {
			(*into)[what] += n
		}
	}
	return nil
}

func (y *tally) String() string {
	var text strings.Builder
	fmt.Fprintf(&text, "%d schedules, %.1f virtual hours, %d events, %d requests\n", y.Seeds, y.Virtual.Hours(), y.Events, y.Requests)
	for _, part := range []struct {
		title  string
		counts map[string]int
	}{{"faults", y.Faults}, {"states reached", y.States}} {
		fmt.Fprintf(&text, "%s:\n", part.title)
		for _, what := range slices.Sorted(maps.Keys(part.counts)) {
			fmt.Fprintf(&text, "%8d  %s\n", part.counts[what], what)
		}
	}
	return text.String()
}

// tally counts what a seed has been through.
func (c *checker) tally() *tally {
	c.history.mu.Lock()
	defer c.history.mu.Unlock()
	y := newTally()
	y.Seeds, y.Events, y.Virtual = 1, len(c.history.events), time.Since(c.history.began)
	for _, f := range c.history.faults {
		kind := f.what
		if f.who != "" && f.who != byHand {
			role, _, _ := strings.Cut(f.who, "-")
			kind += ", " + role
		}
		y.Faults[kind]++
	}
	for _, r := range c.history.events {
		y.Requests += len(r.requests)
		for status, n := range r.statuses {
			y.States[fmt.Sprintf("event answered %d", status)] += n
		}
		for _, t := range c.targets {
			if state := stateOf(r.at(t.name)); state != "" && t.key.Address == r.address {
				y.States["event "+state]++
			}
		}
	}
	for _, t := range c.targets {
		for i, v := range t.versions {
			y.States[c.becomes(t, i, v)]++
		}
	}
	return y
}

// stateOf is where an event has ended for a target; "" when the target has got nothing of it.
func stateOf(requests []request) string {
	refused, ends, last := 0, 0, ""
	for _, q := range requests {
		switch {
		case q.fate == refuses:
			refused++
		case q.settles():
			ends++
			last = string(q.fate)
			if q.fate == buries {
				last = "in " + strings.SplitN(q.host, "-", 2)[0] + " as a dead letter"
			}
		}
	}
	switch {
	case len(requests) == 0:
		return ""
	case ends == 0:
		return "only refused"
	case ends > 1:
		return "delivered more than once"
	case refused > 0:
		return "after retries: " + last
	}
	return "at once: " + last
}

// becomes is what a version makes of its target.
func (c *checker) becomes(t *target, i int, v version) string {
	kind := "Trigger "
	if t.key.Address.Kind == route.KindChannel {
		kind = "subscriber "
	}
	switch {
	case v.ended:
		return kind + "removed"
	case i == 0:
		return kind + "made"
	case !t.versions[i-1].ended:
		return kind + "edited"
	case !t.versions[i-1].ready.IsZero() && v.begun.Sub(t.versions[i-1].ready) > c.grace+sweeps:
		return kind + "made anew after the grace period"
	}
	return kind + "made again within the grace period"
}
