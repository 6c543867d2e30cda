package letters_test

import (
	"context"
	"errors"
	"testing"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/event"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/internal/jstest"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/letters"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/route"
)

func TestDropRemovesWhatIsSelected(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	one, two := w.trigger("one"), w.trigger("two")
	w.fails(one, "1", 1)
	w.fails(two, "2", 2)
	w.fails(one, "3", 3)
	s := letters.Selection{Target: "one"}
	counted, err := letters.CountDrops(jstest.Context(t), w.client, s)
	jstest.Must(t, err)
	if counted.Done != 2 || w.deadLetters() != 3 {
		t.Errorf("%d would be dropped, want 2; %d are left of 3", counted.Done, w.deadLetters())
	}
	o, err := letters.Drop(jstest.Context(t), w.client, s)
	jstest.Must(t, err)
	if left := w.all(letters.Selection{}); o.Done != 2 || len(left) != 1 || left[0].Event.Attr(event.ID) != "2" {
		t.Errorf("%d are dropped, want 2; left are %+v", o.Done, left)
	}
	if n := w.messages(w.client.Names().DirectedStream(w.broker.Key)); n != 0 {
		t.Errorf("%d events are parked, want none", n)
	}
}

// More letters than are read, and retried, at a time.
func TestManyLetters(t *testing.T) {
	t.Parallel()
	const many = 300
	w := newWorld(t)
	one := w.trigger("one")
	for n := range uint64(many) {
		w.fails(one, "1", n+1)
	}
	if found, more, err := letters.List(jstest.Context(t), w.client, letters.Selection{Limit: 100}); len(found) != 100 || !more || err != nil {
		t.Errorf("%d are listed, more %t: %v", len(found), more, err)
	}
	if found, more, err := letters.List(jstest.Context(t), w.client, letters.Selection{Limit: many}); len(found) != many || more || err != nil {
		t.Errorf("%d are listed, more %t: %v", len(found), more, err)
	}
	if o := w.retry(letters.Selection{Limit: 250}); o.Done != 250 || w.deadLetters() != 50 {
		t.Errorf("%d are retried, want 250; %d are left", o.Done, w.deadLetters())
	}
	if got := w.delivered(one)["one"]; len(got) != 250 {
		t.Errorf("%d are delivered, want 250", len(got))
	}
}

// What was not done is not told as if it had been.
func TestAnInterruptIsAnError(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.fails(w.trigger("one"), "1", 1)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if o, err := letters.Retry(ctx, w.client, letters.Selection{}); err == nil || o.Done != 0 {
		t.Errorf("the outcome is %+v, %v", o, err)
	}
	if n := w.deadLetters(); n != 1 {
		t.Errorf("%d letters are left, want one", n)
	}
}

func TestAnAddressThatIsNotThere(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	_, _, err := letters.List(jstest.Context(t), w.client, letters.Selection{Namespace: "shop", Kind: route.KindBroker, Name: "none"})
	if !errors.Is(err, letters.ErrNoAddress) {
		t.Errorf("error %v, want ErrNoAddress", err)
	}
}
