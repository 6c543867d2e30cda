package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/event"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/status"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/manifest"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/route"
)

const (
	// readyBudget is how long what was applied may take to be served before it is called not ready.
	readyBudget = 10 * time.Second
	// readyPoll is how often that is asked until then, readyPollLater afterwards.
	readyPoll      = 100 * time.Millisecond
	readyPollLater = 2 * time.Second
)

// announcer says on the terminal what the files have become: at first everything, then what differs from what it has said.
type announcer struct {
	status func(context.Context) (status.Status, error)
	// serving reports whether this process has read the routes: until then reports are those of others.
	serving func() bool
	// owner is whose routes these are; what others have on the same NATS is not told.
	owner string
	out   io.Writer
	// files is set when there are any.
	files bool

	began bool
	// ended is set when the end of a route was said since the last change of the files was announced.
	ended bool
	notes map[string]bool
	said  map[string]routeState // by the route's name
}

// routeState is what was said of a route.
type routeState struct {
	line string
	// detail is said with the line, and is no reason to say it again.
	detail string
	// spec is the route itself: after a change in it the line is said again.
	spec string
}

// announce waits until the data plane serves what can be served, says what is new, and returns the next update. A route that
// is not ready after readyBudget is said to be so, and said again when it is.
func (a *announcer) announce(ctx context.Context, r *manifest.Resources, updates <-chan manifest.Update) (manifest.Update, bool) {
	a.sayNotes(append(slices.Clone(r.Ignored), r.Desired().Notes...))
	if a.files && isEmpty(r.Desired()) {
		fmt.Fprintln(a.out, nothingToDo+" until they change")
	}
	deadline := time.Now().Add(readyBudget)
	for changed := true; ; {
		status, settled := a.look(ctx)
		late := time.Now().After(deadline)
		if status != nil && (settled || late) {
			a.say(status, changed)
			changed = false
		}
		if settled {
			return await(ctx, updates)
		}
		wait := readyPoll
		if late {
			wait = readyPollLater
		}
		timer := time.NewTimer(wait)
		select {
		case <-timer.C:
		case u := <-updates:
			timer.Stop()
			return u, true
		case <-ctx.Done():
			timer.Stop()
			return manifest.Update{}, false
		}
	}
}

// look returns what is to be said of each route, nil when that cannot be read now, and whether waiting longer cannot change it:
// everything is ready that can be.
func (a *announcer) look(ctx context.Context) (states map[string]routeState, settled bool) {
	ctx, cancel := context.WithTimeout(ctx, readyBudget)
	defer cancel()
	status, err := a.status(ctx)
	if err != nil {
		return nil, false
	}
	settled, states = a.serving(), map[string]routeState{}
	for _, s := range status.Addresses {
		if s.Owner != a.owner {
			continue
		}
		if s.Refuse == manifest.InNoFile {
			states[s.Key.String()] = inNoFileState(s.Address, s.Key.String(), heldByAddress(s)+" are kept; it takes no events", nameOfAddress(s.Address))
			continue
		}
		settled = settled && s.Ready
		states[s.Key.String()] = stateOf(s.Address, fmt.Sprintf("%s  %s  send events to %s", s.Key, readiness(s.Ready, s.Reason), s.URL))
	}
	for _, s := range status.Targets {
		if s.Owner != a.owner {
			continue
		}
		if s.NotReady == manifest.InNoFile {
			states[s.Key.String()] = inNoFileState(s.Target, s.Key.String(), heldByTarget(s)+" are kept", nameOfTarget(s.Target))
			continue
		}
		settled = settled && (s.Ready || s.NotReady != "")
		states[s.Key.String()] = stateOf(s.Target, fmt.Sprintf("%s  %s", s.Key, readiness(s.Ready, s.Reason)))
	}
	return states, settled
}

func stateOf(route any, line string) routeState {
	spec, _ := json.Marshal(route) // a route is made of what JSON can say: it comes from there
	return routeState{line: line, spec: string(spec)}
}

func inNoFileState(route any, key, kept string, of named) routeState {
	state := stateOf(route, key+"  is in no file")
	state.detail = ": " + kept + "; to delete it: " + of.deleteCommand()
	return state
}

func readiness(ready bool, reason string) string {
	switch {
	case ready && strings.HasPrefix(reason, status.PausedReason):
		return "is ready, and " + reason
	case ready && strings.HasPrefix(reason, status.LackingReason):
		return "is ready; it " + reason
	case ready && reason != "":
		return "is ready, but takes nothing by HTTP: " + reason
	case ready:
		return "is ready"
	}
	return "is not ready: " + reason
}

// sayNotes says those that were not there the last time.
func (a *announcer) sayNotes(notes []string) {
	now := map[string]bool{}
	for _, note := range notes {
		if !a.notes[note] && !now[note] {
			fmt.Fprintln(a.out, note)
		}
		now[note] = true
	}
	a.notes = now
}

// say says what differs from what was said last. fileChanged is true the first time after a change of the files.
func (a *announcer) say(states map[string]routeState, fileChanged bool) {
	lines := a.differences(states)
	if len(lines) == 0 && fileChanged && a.began && !a.ended {
		lines = []string{"the files have changed, the routes have not"}
	}
	for _, line := range lines {
		fmt.Fprintf(a.out, "%s  %s\n", time.Now().Format(time.TimeOnly), line)
	}
	a.began, a.ended, a.said = true, false, states
}

func (a *announcer) differences(states map[string]routeState) (lines []string) {
	for _, key := range slices.Sorted(maps.Keys(states)) {
		state := states[key]
		before, known := a.said[key]
		switch {
		case !a.began, known && before.spec == state.spec && before.line != state.line:
			lines = append(lines, state.line+state.detail)
		case !known:
			lines = append(lines, state.line+state.detail+"  (added)")
		case before.spec != state.spec:
			lines = append(lines, state.line+state.detail+"  (changed)")
		}
	}
	return lines
}

// sayEnded says that routes have ended, and what they held.
func (a *announcer) sayEnded(ended []manifest.Ended, held undelivered) {
	for _, e := range ended {
		a.ended = true
		fmt.Fprintf(a.out, "%s  %s  is removed; %s\n", time.Now().Format(time.TimeOnly), e, held.kept(e))
	}
}

// maxShownAttribute bounds what is shown of an event's attribute, in bytes.
const maxShownAttribute = 200

// sayUnmatched says that an event will be delivered to nobody.
func sayUnmatched(out io.Writer, e unmatchedEvent) {
	targets := "Trigger"
	if e.Address.Kind == route.KindChannel {
		targets = "Subscription"
	}
	shown := func(attribute string) string {
		value := e.Event.Attr(attribute)
		return strconv.Quote(value[:min(len(value), maxShownAttribute)])
	}
	fmt.Fprintf(out, "%s  %s  has no %s, of %d, that wants event %s of type %s, source %s: it goes to nobody (said once for each type)\n",
		time.Now().Format(time.TimeOnly), e.Address, targets, e.Targets, shown(event.ID), shown(event.Type), shown(event.Source))
}
