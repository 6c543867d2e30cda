package share_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/dispatch"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/filter"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/route"
)

func since(sequence uint64, t route.Target) route.Target {
	t.After = sequence
	return t
}

func TestWhichMembersGetAMessage(t *testing.T) {
	everyone := []route.Target{
		target("all"), with("a.b", ofType("a.b")), with("a.b or c", ofEither("a.b", "c")), with("a.", typeBegins("a.")),
		with("ends with b", typeEnds("b")), since(1, target("after 1")), since(2, with("a.b after 2", ofType("a.b"))),
	}
	unreadable := &dispatch.Failure{Reason: "the message is no event"}
	for _, test := range []struct {
		name      string
		eventType string
		sequence  uint64
		failure   *dispatch.Failure
		want      []string
	}{
		{name: "the first one", eventType: "a.b", sequence: 1, want: []string{"all", "a.b", "a.b or c", "a.", "ends with b"}},
		{name: "at the sequence after which one begins", eventType: "a.b", sequence: 2, want: []string{"all", "a.b", "a.b or c", "a.", "ends with b", "after 1"}},
		{
			name: "behind it", eventType: "a.b", sequence: 3,
			want: []string{"all", "a.b", "a.b or c", "a.", "ends with b", "after 1", "a.b after 2"},
		},
		{name: "another of two types", eventType: "c", sequence: 1, want: []string{"all", "a.b or c"}},
		{name: "the same prefix", eventType: "a.c", sequence: 1, want: []string{"all", "a."}},
		{name: "the same suffix", eventType: "cb", sequence: 1, want: []string{"all", "ends with b"}},
		{
			name: "an unreadable one goes to all whose subjects cover it", eventType: "a.b", sequence: 3, failure: unreadable,
			want: []string{"all", "a.b", "a.b or c", "a.", "ends with b", "after 1", "a.b after 2"},
		},
		{
			name: "an unreadable one is not sent to those who begin after it", eventType: "a.b", sequence: 1, failure: unreadable,
			want: []string{"all", "a.b", "a.b or c", "a.", "ends with b"},
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			inWorld(t, everyone, func(t *testing.T, w *world) {
				work := dispatch.Work{Event: typed(test.eventType), Failure: test.failure}
				if test.failure != nil {
					work.Event.Attributes = nil
				}
				w.sequence = test.sequence - 1
				l := w.takeWork(work, test.eventType)
				var got []string
				for _, one := range everyone {
					if messages := w.all(one.Key.Name); len(messages) == 1 && messages[0].Sequence == test.sequence {
						got = append(got, one.Key.Name)
						w.must(messages[0].Ack())
					} else if len(messages) > 0 {
						t.Errorf("%s gets %+v, want one message with sequence %d", one.Key.Name, messages, test.sequence)
					}
				}
				if !slices.Equal(got, test.want) {
					t.Errorf("it goes to %q, want %q", got, test.want)
				}
				l.want(t, "acked")
			})
		})
	}
}

func TestWhichSubjectsAreWanted(t *testing.T) {
	for _, test := range []struct {
		name    string
		targets []route.Target
		subject string
		want    bool
	}{
		{name: "nobody is there", subject: "a"},
		{name: "one wants its type", targets: []route.Target{with("t", ofType("a"))}, subject: "a", want: true},
		{name: "one wants another type", targets: []route.Target{with("t", ofType("b"))}, subject: "a"},
		{name: "one wants either type", targets: []route.Target{with("t", ofEither("b", "a"))}, subject: "a", want: true},
		{name: "one has to look at each event", targets: []route.Target{with("t", ofType("b")), with("u", typeEnds("z"))}, subject: "a", want: true},
		{name: "one wants everything", targets: targets("t"), subject: "a", want: true},
		{name: "one that is not ready wants it", targets: []route.Target{notReady(with("t", ofType("a")))}, subject: "a", want: true},
	} {
		t.Run(test.name, func(t *testing.T) {
			inWorld(t, test.targets, func(t *testing.T, w *world) {
				if got := w.group.Wants(w.names.EventSubject(broker, test.subject)); got != test.want {
					t.Errorf("wanted: %t, want %t", got, test.want)
				}
			})
		})
	}
}

// A member whose filter does not compile holds up no other. Events that it may want are parked, and
// compared once the filter compiles.
func TestAFilterThatDoesNotCompileHoldsUpNobodyElse(t *testing.T) {
	broken := with("broken", filter.Spec{Filters: []filter.Expression{{CESQL: "type ="}}})
	inWorld(t, []route.Target{with("a", ofType("x")), broken}, func(t *testing.T, w *world) {
		l := w.take("x")
		if n := w.ackAll("a"); n != 1 {
			t.Errorf("a gets %d, want what it wants", n)
		}
		l.want(t, "acked")
		w.wantParked("1 for broken after 0s")
		if why := w.group.Failures()[broken.Key]; !strings.HasPrefix(why, "filter: ") || len(w.group.Failures()) != 1 {
			t.Errorf("failures %v, want the filter's of the broken one", w.group.Failures())
		}
		w.follow(with("a", ofType("x")), with("broken", ofType("x")))
		if f := w.group.Failures(); len(f) != 0 {
			t.Errorf("failures %v after the filter was mended", f)
		}
	})
}

// The queue of a member is compared with its new filter; parts that were handed out are not.
func TestAFilterCanBeEdited(t *testing.T) {
	inWorld(t, []route.Target{with("a", ofType("x"))}, func(t *testing.T, w *world) {
		w.take("x")
		taken, _ := w.next("a")
		waits := w.take("x")
		w.follow(with("a", ofType("y")))
		waits.want(t, "acked")
		w.take("x").want(t, "acked")
		w.take("y")
		if got := sequencesOf(w.all("a")); !slices.Equal(got, []uint64{4}) {
			t.Errorf("it gets %v, want what its filter matches now", got)
		}
		w.must(taken.Ack())
	})
}

// While the members may be outdated nothing is handed out; then the newest members get it.
func TestNothingIsHandedOutByOutdatedMembers(t *testing.T) {
	inWorld(t, targets("t"), func(t *testing.T, w *world) {
		source := w.open("t")
		w.take("x")
		<-source.Ready()
		w.outdated = true
		if _, ok := w.next("t"); ok {
			t.Error("it gets a message by what may be outdated")
		}
		w.outdated = false
		w.group.Wake()
		select {
		case <-source.Ready():
		default:
			t.Error("nobody tells it that it may go on")
		}
		if n := w.ackAll("t"); n != 1 {
			t.Errorf("it gets %d, want the message", n)
		}
	})
}
