package main

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/event"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/filter"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/ingress"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/route"
)

type storeAll struct{}

func (storeAll) Publish(_ context.Context, _ route.Address, m []ingress.Message) (int, error) {
	return len(m), nil
}

func TestEachTypeThatNobodyWantsIsToldOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		table := route.NewTable()
		to := route.Address{Key: route.Key{Kind: route.KindBroker, Namespace: "n", Name: "b"}}
		target := func(name, source string) {
			table.Apply(name, 1, route.Record{Target: &route.Target{
				Key: route.TargetKey{Address: to.Key, Namespace: "n", Name: name}, Filter: filter.Spec{Attributes: map[string]string{"source": source}},
			}})
		}
		var told []string
		u := newUnmatched(storeAll{}, table.Snapshot, func(e unmatchedEvent) {
			told = append(told, fmt.Sprint(e.Event.Attr(event.Type), " ", e.Event.Attr(event.Source), " ", e.Targets))
		})
		send := func(eventType, source string, want ...string) {
			t.Helper()
			told = nil
			e := event.Event{Attributes: []event.Attribute{
				{Name: event.SpecVersion, Value: "1.0"}, {Name: event.ID, Value: "1"}, {Name: event.Type, Value: eventType}, {Name: event.Source, Value: source},
			}}
			if _, err := u.Publish(t.Context(), to, []ingress.Message{{Event: e}, {Event: e}}); err != nil {
				t.Fatal(err)
			}
			for _, e := range u.confirmed() {
				u.tell(e)
			}
			if fmt.Sprint(told) != fmt.Sprint(want) {
				t.Errorf("%s of %s: told %q, want %q", eventType, source, told, want)
			}
			<-time.After(unmatchedEvery)
		}
		send("t", "/s", "t /s 0")
		send("t", "/s")
		target("one", "/a")
		send("u", "/a")
		send("u", "/b", "u /b 1")
		target("two", "/c")
		send("v", "/c")
		late := event.Event{Attributes: []event.Attribute{{Name: event.Type, Value: "late"}, {Name: event.Source, Value: "/late"}}}
		u.look(to.Key, late)
		target("three", "/late")
		if found := u.confirmed(); len(found) != 0 {
			t.Errorf("told of an event whose Trigger came at the same time: %v", found)
		}
		for n := range 2 * maxUnmatchedTypes {
			if u.look(to.Key, event.Event{Attributes: []event.Attribute{{Name: event.Type, Value: fmt.Sprint(n)}}}); len(u.seen[to.Key]) > maxUnmatchedTypes {
				t.Fatal("types without bound")
			}
		}
	})
}
