package eventtype

import (
	"errors"
	"testing"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/event"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/route"
)

func orders() route.Address {
	return route.Address{Key: route.Key{Kind: route.KindBroker, Namespace: "shop", Name: "orders"}, UID: "orders-uid"}
}

func eventOf(eventType, source string) event.Event {
	return event.Event{}.With(event.SpecVersion, "1.0").With(event.ID, "1").With(event.Type, eventType).With(event.Source, source)
}

func trigger(name string) route.Target {
	return route.Target{Key: route.TargetKey{Address: orders().Key, Namespace: "shop", Name: name}, UID: name + "-uid"}
}

func TestRecordRoundTrip(t *testing.T) {
	plain := Of(orders(), eventOf("made", "/shop?a=<b>&c"))
	for name, want := range map[string]Record{
		"from outside":       plain,
		"reply":              plain.RepliedBy(trigger("billing")),
		"with a schema":      Of(orders(), eventOf("made", "/shop").With(event.DataSchema, "http://schema.example/1")),
		"with 0.3's schema":  Of(orders(), eventOf("made", "/shop").With(event.SchemaURL, "http://schema.example/1")),
		"beyond ASCII":       Of(orders(), eventOf("gemacht é", "/läden")),
		"nothing in it":      {},
		"all of it is empty": Of(route.Address{}, event.Event{}),
	} {
		t.Run(name, func(t *testing.T) {
			data, err := want.Encode()
			if err != nil {
				t.Fatal(err)
			}
			if got, err := Decode(want.Key(), data); err != nil || got != want {
				t.Errorf("%s became %+v, error %v", data, got, err)
			}
			if _, err := Decode(want.Key()+"x", data); !errors.Is(err, ErrRecord) {
				t.Errorf("at another's key: error %v", err)
			}
		})
	}
	if with := Of(orders(), eventOf("made", "/shop").With(event.SchemaURL, "s")); with.Schema != "s" {
		t.Errorf("schema %q", with.Schema)
	}
	if _, err := Decode("x", []byte("{")); !errors.Is(err, ErrRecord) {
		t.Errorf("no JSON: error %v", err)
	}
}

func TestKeysFollowTheIDAlone(t *testing.T) {
	base := Of(orders(), eventOf("made", "/shop"))
	same := base
	same.Schema, same.SpecVersion = "other", "0.3"
	if same.Key() != base.Key() {
		t.Error("the schema makes another key")
	}
	again := orders()
	again.UID = "another"
	keys := map[string]string{base.Key(): "base"}
	for name, r := range map[string]Record{
		"another type":      Of(orders(), eventOf("paid", "/shop")),
		"another source":    Of(orders(), eventOf("made", "/other")),
		"made again":        Of(again, eventOf("made", "/shop")),
		"a reply":           base.RepliedBy(trigger("billing")),
		"another's reply":   base.RepliedBy(trigger("audit")),
		"the Broker's twin": base.RepliedBy(trigger("orders")),
	} {
		if other, found := keys[r.Key()]; found {
			t.Errorf("%s has the key of %s", name, other)
		}
		keys[r.Key()] = name
	}
}
