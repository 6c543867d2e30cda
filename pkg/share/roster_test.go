package share_test

import (
	"errors"
	"slices"
	"testing"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/dispatch"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/filter"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/route"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/share"
)

func since(sequence uint64, t route.Target) route.Target {
	t.After = sequence
	return t
}

func TestWhoGetsAMessage(t *testing.T) {
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
				if got := w.group.Wants(w.names.EventSubject(test.subject)); got != test.want {
					t.Errorf("wanted: %t, want %t", got, test.want)
				}
			})
		})
	}
}

func TestAFilterThatDoesNotCompileChangesNothing(t *testing.T) {
	before := []route.Target{with("a", ofType("x")), target("b")}
	inWorld(t, before, func(t *testing.T, w *world) {
		broken := with("broken", filter.Spec{Filters: []filter.Expression{{CESQL: "type ="}}})
		w.moresSince()
		waiting := w.take("x")
		if err := w.group.Follow([]route.Target{with("a", ofType("y")), notReady(target("b")), broken}); err == nil {
			t.Fatal("no error")
		}
		if _, err := w.group.Open(broken.Key); !errors.Is(err, share.ErrNotShared) {
			t.Errorf("open the broken one: %v, want %v", err, share.ErrNotShared)
		}
		unwanted := w.take("y")
		if got := sequencesOf(w.all("a")); !slices.Equal(got, []uint64{1}) {
			t.Errorf("a gets %v, want what it wanted before", got)
		}
		if got := sequencesOf(w.all("b")); !slices.Equal(got, []uint64{1, 2}) {
			t.Errorf("b gets %v, want everything", got)
		}
		waiting.want(t)
		unwanted.want(t)
		w.wantParked()
		if n := w.moresSince(); n != 0 {
			t.Errorf("more is asked for %d times", n)
		}
	})
}

func TestAFilterCanBeEdited(t *testing.T) {
	inWorld(t, []route.Target{with("a", ofType("x"))}, func(t *testing.T, w *world) {
		w.take("x")
		w.follow(with("a", ofType("y")))
		w.take("x").want(t, "acked")
		w.take("y")
		if got := sequencesOf(w.all("a")); !slices.Equal(got, []uint64{1, 3}) {
			t.Errorf("it gets %v, want what its filter of the time matched", got)
		}
	})
}
