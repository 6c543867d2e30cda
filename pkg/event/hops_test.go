package event_test

import (
	"context"
	"errors"
	"testing"
	"time"

	sdk "github.com/cloudevents/sdk-go/v2/event"
	"go.uber.org/zap"
	"knative.dev/eventing/pkg/broker"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/event"
)

func TestArriveCountsAsUpstreamDoes(t *testing.T) {
	now := time.Date(2026, 7, 1, 12, 0, 0, 5_000, time.FixedZone("", 3600))
	tests := []struct {
		name, brought, want string
		// capped marks the rows where we differ from upstream on purpose.
		capped bool
	}{
		{"missing", "", "255", false},
		{"default", "255", "254", false},
		{"two", "2", "1", false},
		{"last", "1", "", false},
		{"used up", "0", "", false},
		{"negative", "-5", "", false},
		{"no number", "many", "255", false},
		{"fraction", "3.9", "2", false},
		{"beyond 32 bits", "4294967296", "255", false},
		{"more than ever given out", "1000", "255", true},
		{"not a number", "NaN", "255", true},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			e := event.Event{}.With(event.ID, "1")
			if test.brought != "" {
				e = e.With(event.HopCount, test.brought)
			}
			if !test.capped {
				requireUpstreamHops(t, test.brought, test.want)
			}
			arrived, err := event.Arrive(e, now)
			if test.want == "" {
				if !errors.Is(err, event.ErrHopsExhausted) {
					t.Fatalf("got error %v, want ErrHopsExhausted", err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if got := arrived.Attr(event.HopCount); got != test.want {
				t.Errorf("got hop count %q, want %q", got, test.want)
			}
			if got := arrived.Attr(event.ArrivalTime); got != "2026-07-01T11:00:00.000005Z" {
				t.Errorf("got arrival time %q", got)
			}
			if e.Attr(event.HopCount) != test.brought {
				t.Error("the event that came was changed")
			}
		})
	}
}

// requireUpstreamHops fails unless upstream leaves the hop count that the table wants.
func requireUpstreamHops(t *testing.T, brought, want string) {
	t.Helper()
	e := sdk.New()
	if brought != "" {
		e.SetExtension(event.HopCount, brought)
	}
	e = broker.TTLDefaulter(zap.NewNop(), event.MaxHops)(context.Background(), e)
	hops, err := broker.GetTTL(e.Context)
	if err != nil {
		t.Fatal(err)
	}
	got := ""
	if hops > 0 {
		got = canonical(t, hops)
	}
	if got != want {
		t.Fatalf("upstream leaves %q, the table wants %q", got, want)
	}
}

func TestHopsOfReplies(t *testing.T) {
	now := time.Now()
	original, err := event.Arrive(event.Event{}.With(event.HopCount, "3"), now)
	if err != nil {
		t.Fatal(err)
	}
	departed, hops := event.Depart(original)
	if _, ok := departed.Get(event.HopCount); ok || hops != 2 {
		t.Fatalf("departed with %v and %d hops, want none on it and 2", departed.Attributes, hops)
	}
	claims := event.Event{}.With(event.HopCount, "255").With(event.ArrivalTime, "earlier")
	reply, err := event.Reply(claims, hops, now)
	if err != nil {
		t.Fatal(err)
	}
	if got := reply.Attr(event.HopCount); got != "1" {
		t.Errorf("reply has hop count %q, want 1", got)
	}
	if got, want := reply.Attr(event.ArrivalTime), now.UTC().Format(time.RFC3339Nano); got != want {
		t.Errorf("reply has arrival time %q, want %q", got, want)
	}
	_, hops = event.Depart(reply)
	if _, err := event.Reply(event.Event{}, hops, now); !errors.Is(err, event.ErrHopsExhausted) {
		t.Errorf("reply to the last hop: got error %v, want ErrHopsExhausted", err)
	}
}

func TestDepartWithoutHopCount(t *testing.T) {
	for _, e := range []event.Event{{}, event.Event{}.With(event.HopCount, "many")} {
		if _, hops := event.Depart(e); hops != event.MaxHops {
			t.Errorf("%v: got %d hops, want %d", e.Attributes, hops, event.MaxHops)
		}
	}
}
