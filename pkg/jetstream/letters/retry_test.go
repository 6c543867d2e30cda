package letters_test

import (
	"testing"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/event"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/internal/jstest"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/letters"
)

func (w *world) retry(s letters.Selection) letters.Outcome {
	w.t.Helper()
	o, err := letters.Retry(jstest.Context(w.t), w.client, s)
	jstest.Must(w.t, err)
	return o
}

func TestARetryGoesToTheTargetThatFailed(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	one, two := w.trigger("one"), w.trigger("two")
	work := w.fails(one, "1", 7)
	if o := w.retry(letters.Selection{}); o.Done != 1 || o.Kept != 0 {
		t.Errorf("the outcome is %+v, want one done", o)
	}
	if n := w.deadLetters(); n != 0 {
		t.Errorf("%d letters are left, want none", n)
	}
	got := w.delivered(one, two)
	if len(got["one"]) != 1 || len(got["two"]) != 0 {
		t.Fatalf("it comes %d times to the target that failed, and %d times to another", len(got["one"]), len(got["two"]))
	}
	work.Event = work.Event.With(letters.RetryCount, "1")
	work.Run, work.Attempt, work.Failure = 1, 0, nil
	jstest.SameWork(t, got["one"][0], work)
}

// The filter was edited since: the operator has chosen the target.
func TestARetryIsNotFilteredAgain(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	one := w.trigger("one")
	work := w.fails(one, "1", 7)
	work.Event = work.Event.With(event.Type, "b")
	work.Sequence = 8
	jstest.Must(t, w.store.DeadLetter(jstest.Context(t), one, work))
	w.retry(letters.Selection{})
	if got := w.delivered(one); len(got["one"]) != 2 {
		t.Errorf("%d of 2 retries come", len(got["one"]))
	}
}

// An interrupted retry has stored the copy and not removed the letter.
func TestARetryThatWasInterruptedIsDoneAgain(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	one := w.trigger("one")
	w.fails(one, "1", 7)
	letter := w.stored()
	w.retry(letters.Selection{})
	w.restore(letter)
	if o := w.retry(letters.Selection{}); o.Done != 1 {
		t.Errorf("the outcome is %+v, want one done", o)
	}
	if n := w.deadLetters(); n != 0 {
		t.Errorf("%d letters are left, want none", n)
	}
	if got := w.delivered(one); len(got["one"]) != 1 {
		t.Errorf("it comes %d times, want once", len(got["one"]))
	}
}

// What fails again is another letter, whose retry is another run.
func TestARetryThatFailsCanBeRetried(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	one := w.trigger("one")
	first := w.fails(one, "1", 7)
	w.retry(letters.Selection{})
	second := w.delivered(one)["one"][0]
	second.Failure = first.Failure
	jstest.Must(t, w.store.DeadLetter(jstest.Context(t), one, second))
	w.retry(letters.Selection{})
	got := w.delivered(one)["one"]
	if len(got) != 1 || got[0].Run != 2 || got[0].Event.Attr(letters.RetryCount) != "2" || got[0].Failure != nil {
		t.Errorf("the second retry is %+v, want the second run without a failure", got)
	}
}

func TestWhatCannotBeRetriedIsKept(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	one, gone := w.trigger("one"), w.trigger("gone")
	w.foreign(one, "no event")
	w.fails(gone, "1", 7)
	jstest.Must(t, w.owner.RemoveTarget(jstest.Context(t), gone.Key))
	w.fails(one, "2", 8)
	want := letters.Outcome{Done: 1, Kept: 2, Why: map[string]int{letters.ErrNoTarget.Error(): 1, letters.ErrUnreadable.Error(): 1}}
	for _, do := range []struct {
		name string
		f    func() (letters.Outcome, error)
		left uint64
	}{
		{"a count", func() (letters.Outcome, error) {
			return letters.CountRetries(jstest.Context(t), w.client, letters.Selection{})
		}, 3},
		{"a retry", func() (letters.Outcome, error) {
			return letters.Retry(jstest.Context(t), w.client, letters.Selection{})
		}, 2},
	} {
		o, err := do.f()
		jstest.Must(t, err)
		if o.Done != want.Done || o.Kept != want.Kept || len(o.Why) != 2 || o.Why[letters.ErrNoTarget.Error()] != 1 {
			t.Errorf("%s is %+v, want %+v", do.name, o, want)
		}
		if n := w.deadLetters(); n != do.left {
			t.Errorf("%d letters are left after %s, want %d", n, do.name, do.left)
		}
	}
	if n := w.messages(w.client.Names().DirectedStream(w.broker.Key)); n != 1 {
		t.Errorf("%d events are parked, want one", n)
	}
}
