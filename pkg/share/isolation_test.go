package share_test

import (
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/dispatch"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/route"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/share"
)

// TestAnUnreadableMessageGoesOnlyWhereItsSubjectMayBeWanted: the filter for a prefix has subjects
// too.
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
		w.group.Take(w.names.EventSubject(broker, "x"), dispatch.Message{Work: dispatch.Work{Event: typed("x"), Sequence: 1}, Lease: l})
		l.want(t, "acked in vain", "released for 0s")
	})
}

// TestATargetThatCannotBeParkedForHoldsUpNoOther, even with more parts than goroutines that park.
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

// TestASoleMemberHoldsUpNobodyWhoJoins: its queue may fill the group until then.
func TestASoleMemberHoldsUpNobodyWhoJoins(t *testing.T) {
	hangs := with("hangs", ofType("x"))
	hangs.MaxInFlight = share.Room / 2
	inWorld(t, []route.Target{hangs}, func(t *testing.T, w *world) {
		for range share.Room {
			w.take("x")
		}
		w.follow(hangs, target("joins"))
		<-time.After(time.Hour)
		if s := w.group.Space(); s.Messages <= 0 {
			t.Errorf("an hour later there is room for %d messages", s.Messages)
		}
	})
}

// TestTwoMayFollowAtOnce: were two rosters made from the same one, the members of the first would
// be neither served nor gone.
func TestTwoMayFollowAtOnce(t *testing.T) {
	w, l := newWorld(t), &lease{}
	var begun atomic.Bool
	var other sync.WaitGroup
	var group *share.Group
	followAndTake := func() {
		group.Follow(targets("a", "b"), nil)
		group.Take("x", dispatch.Message{Work: dispatch.Work{Event: typed("x"), Sequence: 1}, Lease: l})
	}
	group = share.New(share.Config{
		Park: w.park, Go: w.running.Go, More: w.more, Logger: slog.New(slog.DiscardHandler),
		Bytes: share.MaxBytes, Current: func() bool { return true },
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
	group.Follow(targets("a", "b"), nil)
	other.Wait()
	group.Close()
	w.running.Wait()
	if len(l.steps) == 0 {
		t.Error("a message that was taken is neither served nor given back by Close")
	}
}

// A part that cannot be parked goes to its member once that takes parts, although parking still
// fails.
func TestAPartThatCannotBeParkedGoesToItsMember(t *testing.T) {
	inWorld(t, targets("one", "two"), func(t *testing.T, w *world) {
		w.refuse(true, "one", "two")
		for range share.Room {
			w.take("x")
		}
		<-time.After(time.Minute)
		for _, name := range []string{"one", "two"} {
			if n := w.ackAll(name); n != share.Room {
				t.Errorf("%s gets %d, want all %d", name, n, share.Room)
			}
		}
		w.wantEmpty()
		<-time.After(time.Minute)
		if f := w.group.Failures(); len(f) != 0 {
			t.Errorf("failures %v although nothing is left to park", f)
		}
	})
}

// The events that a group holds keep a small log from being trimmed: it must not fill up because of
// them while the process has memory left.
func TestASlowTargetHoldsOnlyAPartOfASmallLog(t *testing.T) {
	inWorld(t, targets("slow", "quick"), func(t *testing.T, w *world) {
		w.logBytes = 4 << 20
		e := typed("x")
		e.Data = make([]byte, 8<<10)
		for range 400 {
			w.takeWork(dispatch.Work{Event: e}, "x")
			w.ackAll("quick")
		}
		if held := 400 - len(w.parked); held < 50 || held > 100 {
			t.Errorf("%d events of 8 KiB are held of a log of 4 MiB, want up to three quarters of a quarter", held)
		}
		if n := w.ackAll("slow"); n != 400-len(w.parked) {
			t.Errorf("the slow one gets %d, want what is not parked", n)
		}
	})
}

// A part that cannot be parked, and is released, waits in the log: its target has no failure.
func TestAReleasedPartIsNoFailureOfItsTarget(t *testing.T) {
	inWorld(t, targets("one", "two"), func(t *testing.T, w *world) {
		w.full = true
		first := w.take("x")
		w.ackAll("one")
		m, _ := w.next("two")
		w.must(m.Release(0))
		first.want(t, "released for 0s")
		if f := w.group.Failures(); len(f) != 0 {
			t.Errorf("failures %v of what was given back", f)
		}
	})
}

// Events for a target that has ended and may come back are parked while there is room, and dropped
// when there is none: they must not hold up the other targets.
func TestATargetThatHasEndedIsParkedForWhileThereIsRoom(t *testing.T) {
	inWorld(t, targets("t", "other"), func(t *testing.T, w *world) {
		w.group.Follow(targets("other"), targets("t"))
		first := w.take("x")
		w.ackAll("other")
		first.want(t, "acked")
		w.full = true
		second := w.take("x")
		w.ackAll("other")
		second.want(t, "acked")
		w.wantParked("1 for t after 0s")
		w.full = false
		w.follow(targets("t", "other")...)
		w.take("x")
		if got := sequencesOf(w.all("t")); !slices.Equal(got, []uint64{3}) {
			t.Errorf("it gets %v after it came back, want the third", got)
		}
		if f := w.group.Failures(); len(f) != 0 {
			t.Errorf("failures %v of what was dropped, although nothing is left to park", f)
		}
	})
}
