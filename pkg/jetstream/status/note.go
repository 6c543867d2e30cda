package status

import (
	"time"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/buckets"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/route"
)

// PausedReason begins the Reason of an address or target that is ready and paused.
const PausedReason = "paused"

// LackingReason begins the Reason of a target that is ready and began later than it was to.
const LackingReason = "began later"

// note is what should be known of a target that is ready.
func note(t route.Target) string {
	if t.Paused == "" {
		if since := t.Start.LacksUntil; since != nil {
			return LackingReason + ": the log had nothing from before " + since.UTC().Format(time.RFC3339)
		}
		return ""
	}
	return pausedNote(t.Paused, t.PausedSince)
}

func pausedNote(why string, since time.Time) string {
	text := PausedReason
	if !since.IsZero() { // a version that did not know it has written the route
		text += " since " + since.Format(time.RFC3339)
	}
	return text + ": " + why
}

// pause enters in the address what its handle says, unless an annotation says something: that goes
// first.
func (a *AddressStatus) pause(by buckets.Handle) {
	if a.Paused == "" && by.Paused != "" {
		a.Paused, a.PausedSince, a.PausedByHandle = by.Paused, by.Since, true
	}
	if by.Unreadable != nil {
		a.add(by.Unreadable.Error())
	}
	if a.Ready && a.Paused != "" {
		a.add(pausedNote(a.Paused, a.PausedSince))
	}
}

// add adds to the Reason.
func (a *AddressStatus) add(text string) {
	if a.Reason != "" {
		a.Reason += "; "
	}
	a.Reason += text
}
