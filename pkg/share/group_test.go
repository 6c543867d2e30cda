package share_test

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/dispatch"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/route"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/share"
)

func TestASlowTargetIsParkedForBeyondItsFairShare(t *testing.T) {
	for _, test := range []struct {
		name    string
		members []string
		// messages come for the slow member, which takes none. Everybody else acknowledges at once.
		messages, size int
		wantParked     int
	}{
		{name: "the group is three quarters full", members: []string{"slow", "quick"}, messages: share.Room * 3 / 4},
		{name: "the group is fuller", members: []string{"slow", "quick"}, messages: share.Room*3/4 + 100, wantParked: 100},
		{name: "of large messages", members: []string{"slow", "quick"}, messages: 40, size: 1<<20 - 4<<10, wantParked: 16},
		{name: "it is alone", members: []string{"slow"}, messages: share.Room},
	} {
		t.Run(test.name, func(t *testing.T) {
			inWorld(t, targets(test.members...), func(t *testing.T, w *world) {
				e := typed("x")
				e.Data = make([]byte, test.size)
				for range test.messages {
					w.takeWork(dispatch.Work{Event: e}, "x")
					for _, name := range test.members[1:] {
						if n := w.ackAll(name); n != 1 {
							t.Fatalf("%s gets %d messages of one", name, n)
						}
					}
				}
				if n := len(w.parked); n != test.wantParked {
					t.Errorf("%d are parked, want %d", n, test.wantParked)
				}
				if n := w.ackAll("slow"); n != test.messages-test.wantParked {
					t.Errorf("the slow one gets %d, want %d", n, test.messages-test.wantParked)
				}
				w.wantEmpty()
			})
		})
	}
}

// TestAMemberWithinItsShareIsNotParkedFor, however full the others make the group.
func TestAMemberWithinItsShareIsNotParkedFor(t *testing.T) {
	members := []route.Target{with("slow", ofType("slow")), with("modest", ofType("modest"))}
	inWorld(t, members, func(t *testing.T, w *world) {
		for range share.Room*3/4 + 10 {
			w.take("slow")
		}
		for range 5 {
			w.take("modest")
		}
		if len(w.parked) != 10 {
			t.Errorf("%d are parked, want 10", len(w.parked))
		}
		for _, parked := range w.parked {
			if !strings.Contains(parked, "for slow") {
				t.Errorf("parked: %s, want it to be the slow one's", parked)
			}
		}
		if n := w.ackAll("modest"); n != 5 {
			t.Errorf("the modest one gets %d, want 5", n)
		}
	})
}

// TestMembersThatAreEquallyBehindAreNotParkedFor: less is pulled then. A member that holds twice
// the average is parked for.
func TestMembersThatAreEquallyBehindAreNotParkedFor(t *testing.T) {
	inWorld(t, targets("one", "two", "three"), func(t *testing.T, w *world) {
		for range share.Room*3/4 - 1 {
			w.take("x")
		}
		if len(w.parked) != 0 {
			t.Errorf("%d are parked, want none", len(w.parked))
		}
		w.ackAll("one")
		w.ackAll("two")
		w.take("x")
		if len(w.parked) != 1 || !strings.Contains(w.parked[0], "for three") {
			t.Errorf("%v are parked, want one for the third", w.parked)
		}
	})
}

func inFlight(name string, n int) route.Target {
	one := target(name)
	one.MaxInFlight = n
	return one
}

func TestSpaceOfAnEmptyGroup(t *testing.T) {
	for _, test := range []struct {
		name    string
		targets []route.Target
		want    share.Space
	}{
		{name: "a sole member: what it works on", targets: []route.Target{inFlight("a", 7)}, want: share.Space{Messages: 7, MostMessages: 7}},
		{
			name: "a sole member with the default", targets: targets("a"),
			want: share.Space{Messages: route.DefaultMaxInFlight, MostMessages: route.DefaultMaxInFlight},
		},
		{
			name: "a sole member that works on very much", targets: []route.Target{inFlight("a", 2*share.Room)},
			want: share.Space{Messages: share.Room, MostMessages: share.Room},
		},
		{
			name: "two members", targets: []route.Target{inFlight("a", 7), inFlight("b", 7)},
			want: share.Space{Messages: share.Room, MostMessages: share.Room},
		},
		{name: "nobody is served", targets: []route.Target{notReady(target("a")), notReady(target("b"))}, want: share.Space{MostMessages: share.Room}},
		{name: "nobody", want: share.Space{MostMessages: share.Room}},
	} {
		t.Run(test.name, func(t *testing.T) {
			test.want.Bytes = share.MaxBytes
			inWorld(t, test.targets, func(t *testing.T, w *world) {
				if got := w.group.Space(); got != test.want {
					t.Errorf("space %+v, want %+v", got, test.want)
				}
			})
		})
	}
}

func TestSpaceIsWhatTheMessagesLeave(t *testing.T) {
	inWorld(t, targets("a", "b"), func(t *testing.T, w *world) {
		for _, test := range []struct {
			size int
			want int64
		}{{0, 16 << 10}, {12 << 10, 16 << 10}, {16 << 10, 20 << 10}, {1 << 20, 1<<20 + 4<<10}} {
			before := w.group.Space()
			e := typed("x")
			e.Data = make([]byte, test.size)
			w.takeWork(dispatch.Work{Event: e}, "x")
			if got := before.Bytes - w.group.Space().Bytes; got != test.want {
				t.Errorf("an event of %d bytes for two takes %d, want %d", test.size, got, test.want)
			}
		}
	})
}

func TestMoreIsAskedForWhenThereIsRoom(t *testing.T) {
	one := inFlight("a", 4)
	inWorld(t, []route.Target{one}, func(t *testing.T, w *world) {
		if n := w.moresSince(); n != 1 {
			t.Errorf("more is asked for %d times at the beginning, want once", n)
		}
		for range 4 {
			w.take("x")
		}
		for _, step := range []struct {
			name string
			want int
		}{{"one of four is taken", 0}, {"half of them are", 1}, {"three of them are", 0}, {"all of them are", 0}} {
			if _, ok := w.next("a"); !ok {
				t.Fatalf("%s: nothing to take", step.name)
			}
			if n := w.moresSince(); n != step.want {
				t.Errorf("%s: more is asked for %d times, want %d", step.name, n, step.want)
			}
		}
		w.follow(one, target("b"))
		if n := w.moresSince(); n != 1 {
			t.Errorf("more is asked for %d times when there is more room, want once", n)
		}
	})
}

func TestCloseGivesEverythingBack(t *testing.T) {
	inWorld(t, targets("a", "b", "queued"), func(t *testing.T, w *world) {
		w.open("b")
		taken, queued := w.take("x"), w.take("x")
		ofA := w.all("a")
		w.must(ofA[0].Ack())
		w.group.Close()
		late := w.take("x")
		late.want(t, "released for 0s")
		w.must(ofA[1].Release(time.Second))
		w.stop("b")
		taken.want(t, "acked") // a has got it
		w.wantParked("1 for b after 0s", "1 for queued after 0s")
		queued.want(t, "released for 0s")
		w.open("b")
		w.take("x").want(t, "released for 0s")
		if m, ok := w.next("b"); ok {
			t.Errorf("a closed group hands out %d", m.Sequence)
		}
		w.wantEmpty()
	})
}

// TestCloseLetsPartsEndAsTheyDo: a delivery that is under way is not broken off.
func TestCloseLetsPartsEndAsTheyDo(t *testing.T) {
	inWorld(t, targets("a", "b"), func(t *testing.T, w *world) {
		l := w.take("x")
		a, _ := w.next("a")
		b, _ := w.next("b")
		w.group.Close()
		synctest.Wait()
		l.want(t)
		w.must(a.Ack())
		w.must(b.Ack())
		l.want(t, "acked")
		w.wantEmpty()
	})
}
