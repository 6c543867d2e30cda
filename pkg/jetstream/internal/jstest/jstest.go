// Package jstest is what the tests of the packages under pkg/jetstream share that need no owner.
package jstest

import (
	"context"
	"reflect"
	"strconv"
	"testing"
	"time"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/dispatch"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/event"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/ingress"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/route"
)

// Patience is how long a test waits for something that is to happen; a passing test waits for a fraction of it.
const Patience = 20 * time.Second

// Context ends with the test, and after Patience.
func Context(t testing.TB) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), Patience)
	t.Cleanup(cancel)
	return ctx
}

// Await returns when the condition holds.
func Await(t testing.TB, what string, condition func() bool) {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	end := time.NewTimer(Patience)
	defer end.Stop()
	for !condition() {
		select {
		case <-tick.C:
		case <-end.C:
			t.Fatalf("waited %s in vain: %s", Patience, what)
		}
	}
}

// Must fails the test on an error.
func Must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// Event is an event of this id and type, whose body names the id.
func Event(id, eventType string) event.Event {
	return event.Event{
		Attributes: []event.Attribute{
			{Name: event.SpecVersion, Value: "1.0"}, {Name: event.ID, Value: id},
			{Name: event.Source, Value: "/tests"}, {Name: event.Type, Value: eventType},
		},
		Data: []byte("body of " + id),
	}
}

// IDs are the numbers from from to to-1.
func IDs(from, to int) []string {
	var ids []string
	for id := from; id < to; id++ {
		ids = append(ids, strconv.Itoa(id))
	}
	return ids
}

// Message is Event with a message id.
func Message(id, eventType string) ingress.Message {
	return ingress.Message{ID: "msg-" + id, Event: Event(id, eventType)}
}

// Work is an event that has failed before.
func Work(id string, sequence uint64) dispatch.Work {
	return dispatch.Work{
		Event: Event(id, "a"), Sequence: sequence, Attempt: 2,
		Failure: &dispatch.Failure{
			Destination: "http://subscriber.example/", Code: 503, Body: []byte("busy\r\n\x00"), Reason: "status 503",
			Attempts: 4, SinkAttempts: 1,
		},
	}
}

// SameWork compares without regard to the order of the attributes.
func SameWork(t *testing.T, got, want dispatch.Work) {
	t.Helper()
	for _, a := range want.Event.Attributes {
		if value := got.Event.Attr(a.Name); value != a.Value {
			t.Errorf("attribute %s is %q, want %q", a.Name, value, a.Value)
		}
	}
	if len(got.Event.Attributes) != len(want.Event.Attributes) || string(got.Event.Data) != string(want.Event.Data) {
		t.Errorf("the event is %+v, want %+v", got.Event, want.Event)
	}
	got.Event, want.Event = event.Event{}, event.Event{}
	got.Directed, want.Directed = 0, 0 // where it came to lie
	if !reflect.DeepEqual(got, want) {
		t.Errorf("the work is %+v with %+v, want %+v with %+v", got, got.Failure, want, want.Failure)
	}
}

// Table is a table that knows these addresses.
func Table(addresses ...route.Address) *route.Table {
	table := route.NewTable()
	for n, a := range addresses {
		table.Apply(a.Key.String(), uint64(n+1), route.Record{Address: &a})
	}
	return table
}
