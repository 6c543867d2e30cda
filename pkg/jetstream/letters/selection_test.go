package letters_test

import (
	"slices"
	"testing"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/dispatch"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/event"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/codec"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/internal/jstest"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/letters"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/route"
)

func TestSelection(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.address(route.KindChannel, "orders") // has the same name, and no letters
	one, two := w.trigger("one"), w.trigger("two")
	w.fails(one, "1", 1)
	second := jstest.Work("2", 2)
	second.Event = second.Event.With(event.Type, "b").With(event.Source, "/else")
	second.Failure = &dispatch.Failure{Reason: "dial: No route to host", Attempts: 1}
	jstest.Must(t, w.store.DeadLetter(jstest.Context(t), two, second))
	secondAt := w.all(letters.Selection{ID: "2"})[0].GivenUp
	w.fails(two, "3", 3)
	w.foreign(one, "no event")
	code := func(c int) *int { return &c }
	for _, c := range []struct {
		name string
		s    letters.Selection
		want []string
	}{
		{"everything", letters.Selection{}, []string{"1", "2", "3", "4"}},
		{"the namespace", letters.Selection{Namespace: "shop"}, []string{"1", "2", "3", "4"}},
		{"another namespace", letters.Selection{Namespace: "default"}, nil},
		{"the Broker", letters.Selection{Namespace: "shop", Kind: route.KindBroker, Name: "orders"}, []string{"1", "2", "3", "4"}},
		{"the Channel", letters.Selection{Namespace: "shop", Kind: route.KindChannel, Name: "orders"}, nil},
		{"a target", letters.Selection{Target: "two"}, []string{"2", "3"}},
		{"a target with its namespace", letters.Selection{Target: "shop/two"}, []string{"2", "3"}},
		{"a target of another namespace", letters.Selection{Target: "default/two"}, nil},
		{"an id", letters.Selection{ID: "3"}, []string{"3"}},
		{"a type", letters.Selection{Type: "b"}, []string{"2"}},
		{"what is no event", letters.Selection{Type: codec.UnreadableType}, []string{"4"}},
		{"a source", letters.Selection{Source: "/tests"}, []string{"1", "3"}},
		{"a part of the reason", letters.Selection{Reason: "no ROUTE"}, []string{"2"}},
		{"a code", letters.Selection{Code: code(503)}, []string{"1", "3"}},
		{"no response", letters.Selection{Code: code(0)}, []string{"2", "4"}},
		{"since", letters.Selection{Since: secondAt}, []string{"2", "3", "4"}},
		{"until", letters.Selection{Until: secondAt}, []string{"1"}},
		{"a limit", letters.Selection{Limit: 2}, []string{"1", "2"}},
		{"a limit of those that are selected", letters.Selection{Limit: 2, Target: "two"}, []string{"2", "3"}},
		{"several", letters.Selection{Target: "two", Source: "/tests"}, []string{"3"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			var got []string
			for _, l := range w.all(c.s) {
				got = append(got, l.Event.Attr(event.ID))
			}
			if !slices.Equal(got, c.want) {
				t.Errorf("the letters of %q, want %q", got, c.want)
			}
		})
	}
}
