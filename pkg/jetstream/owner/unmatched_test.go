package owner

import (
	"testing"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/count"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/event"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/internal/jstest"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/route"
)

// An event is unmatched when nobody gets it, neither one of those who share the log nor one who has a cursor of his own.
func TestWhatNobodyGetsIsCounted(t *testing.T) {
	for _, test := range []struct {
		name    string
		targets func(i *installation) (sharing, other route.Target)
	}{
		{"both share", func(i *installation) (route.Target, route.Target) {
			return i.trigger("x", "a.x"), suffix(i.trigger("y"), "y")
		}},
		{"a type, and one alone", func(i *installation) (route.Target, route.Target) { return i.trigger("x", "a.x"), i.alone("y", "a.y") }},
		{"a type, and a suffix alone", func(i *installation) (route.Target, route.Target) {
			return i.trigger("x", "a.x"), suffix(i.alone("y"), "y")
		}},
		{"a suffix, and one alone", func(i *installation) (route.Target, route.Target) {
			return suffix(i.trigger("x"), "x"), suffix(i.alone("y"), "y")
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			i := install(t)
			sharing, other := test.targets(i)
			sharing, other = i.put(sharing), i.put(other)
			i.broker.Counts = &count.Address{}
			p := i.process(i.client)
			p.Follow(route.Snapshot{
				Addresses: map[route.Key]route.Address{i.broker.Key: i.broker},
				Targets:   map[route.TargetKey]route.Target{sharing.Key: sharing, other.Key: other},
			})
			source := p.Log(sharing)
			i.publish(0, 6, "a.x", "a.y", "b")
			i.publish(6, 7, "a.x")
			for _, want := range []string{"0", "3", "6"} { // the others are over by then
				m := next(t, source)
				if id := m.Event.Attr(event.ID); id != want {
					t.Errorf("got %s, want %s", id, want)
				}
				jstest.Must(t, m.Ack())
			}
			if n := i.broker.Counts.Read(0).Unmatched; n != 2 {
				t.Errorf("%d are unmatched, want the two of type b", n)
			}
		})
	}
}
