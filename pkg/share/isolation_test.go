package share_test

import (
	"log/slog"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/dispatch"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/route"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/share"
)

// TestAnUnreadableMessageGoesOnlyWhereItsSubjectMayBeWanted: a target that wants types with a prefix has subjects too.
func TestAnUnreadableMessageGoesOnlyWhereItsSubjectMayBeWanted(t *testing.T) {
	inWorld(t, []route.Target{with("orders", typeBegins("orders.")), with("paid", ofType("payments.paid"))}, func(t *testing.T, w *world) {
		l := w.takeWork(dispatch.Work{Failure: &dispatch.Failure{}}, "payments.paid")
		if n := w.ackAll("paid"); n != 1 {
			t.Errorf("who wants the type gets %d, want one", n)
		}
		if n := w.ackAll("orders"); n != 0 {
			t.Errorf("who wants types that begin with another prefix gets %d, want none", n)
		}
		l.want(t, "acked")
	})
}

// TestAnUnwantedMessageThatCannotBeAcknowledgedIsReleased, as dispatch.Lease demands.
func TestAnUnwantedMessageThatCannotBeAcknowledgedIsReleased(t *testing.T) {
	inWorld(t, nil, func(t *testing.T, w *world) {
		l := &lease{ackFails: true}
		w.group.Take(w.names.EventSubject("x"), dispatch.Message{Work: dispatch.Work{Event: typed("x"), Sequence: 1}, Lease: l})
		l.want(t, "acked in vain", "released for 0s")
	})
}

// TestATargetThatCannotBeParkedForHoldsUpNoOther: its tries take all places of the limit, pauses between them included.
func TestATargetThatCannotBeParkedForHoldsUpNoOther(t *testing.T) {
	members := []route.Target{notReady(with("cannot", ofType("x"))), notReady(with("can", ofType("y")))}
	inWorld(t, members, func(t *testing.T, w *world) {
		w.refuse(true, "cannot")
		for range 100 {
			w.take("x")
		}
		l := w.take("y")
		<-time.After(time.Hour)
		l.want(t, "acked")
		w.wantParked("101 for can after 0s")
	})
}

// TestWhoWasAloneHoldsUpNobodyWhoJoins: what it was given while there was nobody to mind, and has not begun with, fills the group.
func TestWhoWasAloneHoldsUpNobodyWhoJoins(t *testing.T) {
	hangs := with("hangs", ofType("x"))
	hangs.MaxInFlight = share.Room / 2
	inWorld(t, []route.Target{hangs}, func(t *testing.T, w *world) {
		for free, _ := w.group.Room(); free > 0; free, _ = w.group.Room() {
			w.take("x")
		}
		w.follow(hangs, target("joins"))
		<-time.After(time.Hour)
		if free, most := w.group.Room(); free <= 0 {
			t.Errorf("an hour later there is room for %d of %d", free, most)
		}
	})
}

// TestTwoMayFollowAtOnce: a Group is safe for concurrent use. Both make members out of the same roster, and those of the one that
// is stored first are neither served nor gone.
func TestTwoMayFollowAtOnce(t *testing.T) {
	w, l := newWorld(t), &lease{}
	var begun atomic.Bool
	var other sync.WaitGroup
	var group *share.Group
	followAndTake := func() {
		if err := group.Follow(targets("a", "b")); err != nil {
			t.Error(err)
		}
		group.Take("x", dispatch.Message{Work: dispatch.Work{Event: typed("x"), Sequence: 1}, Lease: l})
	}
	group = share.New(share.Config{
		Park: w.park, Go: w.running.Go, More: w.more, Logger: slog.New(slog.DiscardHandler),
		Subjects: func(route.Target) []string { // the first Follow is here while the second one passes, or waits for it
			if begun.Swap(true) {
				return nil
			}
			done := make(chan struct{})
			other.Go(func() {
				defer close(done)
				followAndTake()
			})
			select {
			case <-done:
			case <-time.After(100 * time.Millisecond):
			}
			return nil
		},
	})
	if err := group.Follow(targets("a", "b")); err != nil {
		t.Fatal(err)
	}
	other.Wait()
	group.Close()
	w.running.Wait()
	if len(l.steps) == 0 {
		t.Error("a message that was taken is neither served nor given back by Close")
	}
}
