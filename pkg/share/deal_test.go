package share_test

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/dispatch"
)

// act is what one member does with its part.
type act struct {
	who string
	// releases is the delay of a release; a negative one means an ack.
	releases time.Duration
}

func acks(who string) act { return act{who, -1} }

func releases(who string, after time.Duration) act { return act{who, after} }

func (a act) end(m dispatch.Message) error {
	if a.releases < 0 {
		return m.Ack()
	}
	return m.Release(a.releases)
}

func TestAMessageEndsAsItsPartsDo(t *testing.T) {
	for _, test := range []struct {
		name        string
		wantedBy    []string
		acts        []act
		cannotPark  []string
		want        []string
		wantsParked []string
	}{
		{name: "nobody wants it", want: []string{"acked"}},
		{name: "one wants it and acknowledges", wantedBy: []string{"a"}, acts: []act{acks("a")}, want: []string{"acked"}},
		{name: "one wants it and gives it back", wantedBy: []string{"a"}, acts: []act{releases("a", 3*time.Second)}, want: []string{"released for 3s"}},
		{name: "one wants it and has it", wantedBy: []string{"a"}},
		{name: "all acknowledge", wantedBy: []string{"a", "b", "c"}, acts: []act{acks("b"), acks("a"), acks("c")}, want: []string{"acked"}},
		{name: "one of them has not ended", wantedBy: []string{"a", "b", "c"}, acts: []act{acks("a"), releases("b", 0)}},
		{name: "one of them ends twice", wantedBy: []string{"a", "b", "c"}, acts: []act{acks("a"), acks("a"), releases("a", 0), acks("b")}},
		{
			name: "all give it back: for the shortest time", wantedBy: []string{"a", "b", "c"},
			acts: []act{releases("a", 5*time.Second), releases("b", 2*time.Second), releases("c", 9*time.Second)},
			want: []string{"released for 2s"},
		},
		{
			name: "some acknowledge: it is parked for the others, for the shortest time", wantedBy: []string{"a", "b", "c"},
			acts: []act{releases("a", 5*time.Second), acks("b"), releases("c", 9*time.Second)},
			want: []string{"acked"}, wantsParked: []string{"1 for a after 5s", "1 for c after 5s"},
		},
		{
			name: "it cannot be parked: all get it again", wantedBy: []string{"a", "b"}, cannotPark: []string{"a"},
			acts: []act{acks("b"), releases("a", 4*time.Second)}, want: []string{"released for 4s"},
		},
		{
			name: "it can be parked for one of two", wantedBy: []string{"a", "b", "c"}, cannotPark: []string{"c"},
			acts: []act{acks("b"), releases("a", time.Second), releases("c", time.Second)},
			want: []string{"released for 1s"}, wantsParked: []string{"1 for a after 1s"},
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			inWorld(t, targets(test.wantedBy...), func(t *testing.T, w *world) {
				w.refuse(true, test.cannotPark...)
				l := w.take("x")
				parts := map[string]dispatch.Message{}
				for _, name := range test.wantedBy {
					parts[name], _ = w.next(name)
				}
				for _, a := range test.acts {
					w.must(a.end(parts[a.who]))
				}
				l.want(t, test.want...)
				w.wantParked(test.wantsParked...)
				if len(test.want) > 0 {
					w.wantEmpty()
				}
			})
		})
	}
}

func TestAMessageThatCannotBeAcknowledgedIsReleased(t *testing.T) {
	for _, test := range []struct {
		name         string
		releaseFails bool
		act          act
		want         []string
	}{
		{name: "released", act: acks("a"), want: []string{"acked in vain", "released for 0s"}},
		{name: "and that fails too", releaseFails: true, act: acks("a"), want: []string{"acked in vain", "released for 0s in vain"}},
		{name: "only the release fails", releaseFails: true, act: releases("a", time.Second), want: []string{"released for 1s in vain"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			inWorld(t, targets("a"), func(t *testing.T, w *world) {
				l := &lease{ackFails: true, releaseFails: test.releaseFails}
				w.group.Take(w.names.EventSubject(broker, "x"), dispatch.Message{Work: dispatch.Work{Event: typed("x"), Sequence: 1}, Lease: l})
				m, _ := w.next("a")
				w.must(test.act.end(m))
				l.want(t, test.want...)
				w.wantEmpty()
			})
		})
	}
}

func TestParkingIsTriedUntil(t *testing.T) {
	for _, test := range []struct {
		name        string
		ends        func(w *world)
		want        string
		wantsParked []string
	}{
		{
			name: "it is done", ends: func(w *world) { w.refuse(false, "a") },
			want: "acked", wantsParked: []string{"1 for a after 1m0s"},
		},
		{name: "the target is gone", ends: func(w *world) { w.follow(target("b")) }, want: "acked"},
		{name: "the group closes", ends: func(w *world) { w.group.Close() }, want: "released for 0s"},
	} {
		t.Run(test.name, func(t *testing.T) {
			inWorld(t, targets("b"), func(t *testing.T, w *world) {
				w.follow(notReady(target("a")))
				w.refuse(true, "a")
				l := w.take("x")
				<-time.After(time.Minute - 100*time.Millisecond)
				l.want(t)
				if n := strings.Count(w.log.String(), "cannot be parked"); n != 1 {
					t.Errorf("%d complaints about the target, want one", n)
				}
				test.ends(w)
				<-time.After(2 * time.Second)
				l.want(t, test.want)
				w.wantParked(test.wantsParked...)
				w.wantEmpty()
			})
		})
	}
}

// TestManyAreParkedAtOnce: more parts than goroutines that park.
func TestManyAreParkedAtOnce(t *testing.T) {
	inWorld(t, targets("a"), func(t *testing.T, w *world) {
		var leases []*lease
		for range 100 {
			leases = append(leases, w.take("x"))
		}
		w.follow(notReady(target("a")))
		synctest.Wait()
		for _, l := range leases {
			l.want(t, "acked")
		}
		if n := len(w.parked); n != 100 {
			t.Errorf("%d are parked, want all 100", n)
		}
		w.wantEmpty()
	})
}
