package share_test

import (
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/dispatch"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/share"
)

// TestWhatATargetCannotTakeIsParkedForIt and for nobody else.
func TestWhatATargetCannotTakeIsParkedForIt(t *testing.T) {
	for _, test := range []struct {
		name       string
		happens    func(w *world)
		wantParked []string
	}{
		{name: "it is not ready", wantParked: []string{"1 for t after 0s", "2 for t after 0s"}, happens: func(w *world) {
			w.follow(notReady(target("t")), target("other"))
			w.take("x")
			w.take("x")
		}},
		{name: "it turns not ready with messages that nobody has asked for", wantParked: []string{"1 for t after 5s", "2 for t after 5s"}, happens: func(w *world) {
			w.take("x")
			w.take("x")
			<-time.After(5 * time.Second)
			w.follow(notReady(target("t")), target("other"))
		}},
		{name: "it turns ready again", wantParked: []string{"1 for t after 0s"}, happens: func(w *world) {
			w.follow(notReady(target("t")), target("other"))
			w.take("x")
			w.follow(target("t"), target("other"))
			w.take("x")
			if n := w.ackAll("t"); n != 1 {
				w.t.Errorf("it gets %d, want the second", n)
			}
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			inWorld(t, targets("t", "other"), func(t *testing.T, w *world) {
				test.happens(w)
				w.wantParked(test.wantParked...)
				if n := w.ackAll("other"); n != 2 {
					t.Errorf("the other one gets %d, want both", n)
				}
				w.wantEmpty()
			})
		})
	}
}

func TestANilGroupYieldsNothing(t *testing.T) {
	var none *share.Group
	source := none.Open(target("t").Key)
	if m, ok := source.Take(); ok {
		t.Errorf("it yields %+v", m)
	}
	source.Stop()
}

func TestATargetThatIsGoneHoldsUpNoMessage(t *testing.T) {
	for _, test := range []struct {
		name string
		goes func(w *world)
		want string
	}{
		{name: "nobody has asked for it", goes: func(w *world) { w.follow(target("other")) }, want: "acked"},
		{name: "it is about to be handed out", want: "acked", goes: func(w *world) {
			w.open("t")
			synctest.Wait()
			w.follow(target("other"))
			w.stop("t")
		}},
		{name: "it is being delivered", want: "acked", goes: func(w *world) {
			m, _ := w.next("t")
			w.follow(target("other"))
			w.must(m.Ack())
		}},
		{name: "it is given back: nothing is parked for who may never come back", want: "acked", goes: func(w *world) {
			m, _ := w.next("t")
			w.follow(target("other"))
			w.must(m.Release(time.Minute))
		}},
		{name: "it was to be parked", want: "acked", goes: func(w *world) {
			w.refuse(true, "t")
			w.follow(notReady(target("t")), target("other"))
			synctest.Wait()
			w.follow(target("other"))
			<-time.After(2 * time.Second)
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			inWorld(t, targets("t", "other"), func(t *testing.T, w *world) {
				l := w.take("x")
				test.goes(w)
				l.want(t)
				if n := w.ackAll("other"); n != 1 {
					t.Errorf("the other one gets %d, want one", n)
				}
				l.want(t, test.want)
				w.wantParked()
				w.wantEmpty()
				if m, ok := w.group.Open(keyOf("t")).Take(); ok {
					t.Errorf("it gets %d although it is gone", m.Sequence)
				}
			})
		})
	}
}

func TestATargetThatComesBackGetsWhatIsNew(t *testing.T) {
	inWorld(t, targets("t", "other"), func(t *testing.T, w *world) {
		w.take("x")
		w.follow(target("other"))
		w.take("x")
		w.follow(since(2, target("t")), target("other"))
		w.take("x")
		if got := sequencesOf(w.all("t")); !slices.Equal(got, []uint64{3}) {
			t.Errorf("it gets %v, want the third only", got)
		}
	})
}

func TestANewSourceTakesOver(t *testing.T) {
	inWorld(t, targets("t"), func(t *testing.T, w *world) {
		if _, ok := w.group.Open(keyOf("stranger")).Take(); ok {
			t.Error("a stranger gets a message")
		}
		first := w.open("t")
		w.take("x")
		second := w.group.Open(keyOf("t"))
		first.Stop()
		if _, ok := first.Take(); ok {
			t.Error("the first source still hands out a message")
		}
		if m, ok := second.Take(); !ok || m.Sequence != 1 {
			t.Errorf("the second source gives %d, %t, want the message", m.Sequence, ok)
		}
		second.Stop()
	})
}

func TestStopLeavesTheRestToTheNextSource(t *testing.T) {
	for _, taken := range []int{0, 1, 2, 3} {
		inWorld(t, targets("t"), func(t *testing.T, w *world) {
			first := w.open("t")
			leases := []*lease{w.take("x"), w.take("x"), w.take("x")}
			var messages []dispatch.Message
			for range taken {
				m, _ := first.Take()
				messages = append(messages, m)
			}
			synctest.Wait()
			w.stop("t")
			first.Stop()
			if _, ok := first.Take(); ok {
				t.Errorf("after %d: the stopped source has a message", taken)
			}
			leases = append(leases, w.take("x"))
			messages = append(messages, w.all("t")...)
			if got := sequencesOf(messages); !slices.Equal(got, []uint64{1, 2, 3, 4}) {
				t.Errorf("after %d: the sources gave %v, want each message once", taken, got)
			}
			for i, l := range leases {
				l.want(t)
				w.must(messages[i].Ack())
				l.want(t, "acked")
			}
			w.wantEmpty()
		})
	}
}
