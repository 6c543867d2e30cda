package share_test

import (
	"testing"
	"time"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/dispatch"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/filter"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/route"
)

// asking returns a target whose filter is undecided until its key is known, and then matches all.
func asking() route.Target {
	return with("asking", filter.Spec{Filters: []filter.Expression{{CESQL: "KEY_FITS()"}}})
}

// fresh deals an event that the log has just stored.
func (w *world) fresh() *lease {
	return w.takeWork(dispatch.Work{Event: typed("x"), Stored: time.Now()}, "x")
}

// An undecided event waits where it holds up no other target, and is compared again.
func TestAnUndecidedEventIsParkedForAMoment(t *testing.T) {
	inWorld(t, []route.Target{target("a"), asking()}, func(t *testing.T, w *world) {
		l := w.fresh()
		if n := w.ackAll("asking"); n != 0 {
			t.Errorf("it gets %d, want none before its filter can tell", n)
		}
		if n := w.ackAll("a"); n != 1 {
			t.Errorf("a gets %d, want what it wants", n)
		}
		w.wantParked("1 for asking after 1s")
		l.want(t, "acked")
		w.keyKnown = true
		w.fresh()
		if n := w.ackAll("asking"); n != 1 {
			t.Errorf("it gets %d, want what its filter lets pass", n)
		}
	})
}

// A reply is of no use once its request has ended: events do not wait for ever for a missing key.
func TestAnOldUndecidedEventIsDropped(t *testing.T) {
	inWorld(t, []route.Target{asking()}, func(t *testing.T, w *world) {
		w.takeWork(dispatch.Work{Event: typed("x"), Stored: time.Now().Add(-time.Minute)}, "x").want(t, "acked")
		w.wantParked()
		w.wantEmpty()
	})
}

// An undecided event that cannot be parked is neither handed out nor lost.
func TestAnUndecidedEventThatCannotBeParkedIsReleased(t *testing.T) {
	inWorld(t, []route.Target{asking()}, func(t *testing.T, w *world) {
		w.refuse(true, "asking")
		l := w.fresh()
		if n := w.ackAll("asking"); n != 0 {
			t.Errorf("it gets %d, want none", n)
		}
		l.want(t, "released for 1s")
		w.wantEmpty()
	})
}

// Without room, the other targets must not get an event repeatedly because one is undecided.
func TestAnUndecidedEventIsDroppedWithoutRoom(t *testing.T) {
	inWorld(t, []route.Target{target("a"), asking()}, func(t *testing.T, w *world) {
		w.full = true
		l := w.fresh()
		w.ackAll("a")
		l.want(t, "acked")
		w.wantEmpty()
	})
}
