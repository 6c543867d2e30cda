package naming

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/route"
)

func broker(namespace, name string) route.Key {
	return route.Key{Kind: route.KindBroker, Namespace: namespace, Name: name}
}

func trigger(address route.Key, name string) route.TargetKey {
	return route.TargetKey{Address: address, Namespace: address.Namespace, Name: name}
}

func newNames(t testing.TB, prefix string) Names {
	t.Helper()
	n, err := New(prefix)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// TestReadableNames shows what our names look like.
func TestReadableNames(t *testing.T) {
	n := newNames(t, DefaultPrefix)
	orders := broker("default", "orders")
	audit := trigger(orders, "audit.v2")
	for _, test := range []struct{ name, got, want string }{
		{"routes bucket", n.RoutesBucket(), "kn_routes"},
		{"reports bucket", n.ReportsBucket(), "kn_reports"},
		{"positions bucket", n.PositionsBucket(), "kn_positions"},
		{"event types bucket", n.EventTypesBucket(), "kn_eventtypes"},
		{"log", n.Log(orders), "kn_log_broker_default_orders"},
		{"log of a name with a dot", n.Log(broker("default", "x.y")), "kn_log_broker_default_x=y"},
		{"directed stream", n.DirectedStream(orders), "kn_directed_broker_default_orders"},
		{"dead-letter stream", n.DeadLetterStream(orders), "kn_dead_broker_default_orders"},
		{"consumer", n.Consumer(audit), "trigger_default_audit=v2"},
		{"log subjects", n.LogSubjects(orders), "kn.e.broker.default.orders.>"},
		{"event", n.EventSubject(orders, "com.example.created"), "kn.e.broker.default.orders.com.example.created"},
		{"type with a space", n.EventSubject(orders, "order created"), "kn.e.broker.default.orders.order%20created"},
		{"type of wildcards", n.EventSubject(orders, "*.>"), "kn.e.broker.default.orders.%2A.%3E"},
		{"type with a percent sign", n.EventSubject(orders, "100%"), "kn.e.broker.default.orders.100%25"},
		{"type beyond ASCII", n.EventSubject(orders, "é"), "kn.e.broker.default.orders.%C3%A9"},
		{"type of dots", n.EventSubject(orders, ".a..b"), "kn.e.broker.default.orders.%.a.%.b"},
		{"directed", n.DirectedSubject(audit), "kn.d.broker.default.orders.default.audit=v2"},
		{"all directed", n.DirectedSubjects(orders), "kn.d.broker.default.orders.>"},
		{"parked", n.ParkedSubject(Identity{Target: audit, Sequence: 42, Stored: time.Unix(7, 5), Run: 3}), "kn.p.broker.default.orders.default.audit=v2.42-7000000005-3"},
		{"all parked", n.ParkedSubjects(orders), "kn.p.broker.default.orders.>"},
		{"dead letter", n.DeadLetterSubject(audit), "kn.dead.broker.default.orders.default.audit=v2"},
		{"all dead letters", n.DeadLetterSubjects(orders), "kn.dead.broker.default.orders.>"},
		{"trim", n.TrimSubject(orders), "kn.trim.broker.default.orders"},
		{"all trims", n.TrimSubjects(), "kn.trim.>"},
		{"address key", AddressKey(orders), "address.broker.default.orders"},
		{"target key", TargetKey(audit), "target.broker.default.orders.default.audit=v2"},
		{"target keys", TargetKeysOf(orders), "target.broker.default.orders.>"},
		{"event type key", EventTypeKey(orders, "com.example.created", "/shop"), "broker.default.orders.2e5ec89a1b7a26bc02862c7dcdcd8274"},
	} {
		if test.got != test.want {
			t.Errorf("%s: got %s, want %s", test.name, test.got, test.want)
		}
	}
}

func TestTypePrefixSubject(t *testing.T) {
	n := newNames(t, DefaultPrefix)
	orders := broker("default", "orders")
	all := n.LogSubjects(orders)
	for _, test := range []struct{ prefix, want string }{
		{"", all},
		{"com", all},
		{"com.", "kn.e.broker.default.orders.com.>"},
		{"com.exa", "kn.e.broker.default.orders.com.>"},
		{"com.example.", "kn.e.broker.default.orders.com.example.>"},
		{"a b.", "kn.e.broker.default.orders.a%20b.>"},
		{".x", "kn.e.broker.default.orders.%.>"},
		{strings.Repeat("x", 600) + ".", all},
		{strings.Repeat("t.", 30), "kn.e.broker.default.orders." + strings.Repeat("t.", 16) + ">"},
	} {
		if got := n.TypePrefixSubject(orders, test.prefix); got != test.want {
			t.Errorf("prefix %.40q: got %s, want %s", test.prefix, got, test.want)
		}
	}
}

func TestNewRefusesPrefix(t *testing.T) {
	for _, prefix := range []string{"", "a_b", "a.b", "kn*", "é", "KV", "OBJ", strings.Repeat("x", 17)} {
		if _, err := New(prefix); !errors.Is(err, ErrPrefix) {
			t.Errorf("prefix %q: got %v, want ErrPrefix", prefix, err)
		}
	}
	for _, prefix := range []string{"kn", "A", "team-1", strings.Repeat("x", 16)} {
		if n := newNames(t, prefix); n.Prefix() != prefix {
			t.Errorf("prefix %q: got %q", prefix, n.Prefix())
		}
	}
}

func TestParseRefuses(t *testing.T) {
	for _, key := range []string{
		"", "address", "address.broker.ns", "address.broker.ns.n.extra", "target.broker.ns.n", "target.broker.ns.n.ns",
		"address..ns.n", "address.broker.ns.A", "address.broker.ns.=a", "other.broker.ns.n", AddressKey(broker("Bad", "n")),
	} {
		if got, err := ParseKey(key); !errors.Is(err, ErrKey) {
			t.Errorf("key %q: got %v and %v, want ErrKey", key, got, err)
		}
	}
	n := newNames(t, DefaultPrefix)
	for _, subject := range []string{"", "kn.trim", "kn.trim.broker.ns", "x.trim.broker.ns.n", "kn.e.broker.ns.n", "kn.trim.broker.ns.N"} {
		if got, err := n.ParseTrim(subject); !errors.Is(err, ErrSubject) {
			t.Errorf("subject %q: got %v and %v, want ErrSubject", subject, got, err)
		}
	}
}

func TestMessageIDTellsEverythingApart(t *testing.T) {
	orders := broker("default", "orders")
	seen := map[string]bool{}
	for _, target := range []route.TargetKey{trigger(orders, "a"), trigger(orders, "b"), trigger(broker("default", "other"), "a")} {
		for _, identity := range []Identity{
			{}, {Sequence: 1}, {Sequence: 11}, {Sequence: 1 << 63}, {Run: 1}, {Sequence: 1, Run: 1}, {Sequence: 1, Run: 11},
			{Sequence: 1, Stored: time.Unix(0, 1)}, {Sequence: 1, Stored: time.Unix(0, -1)}, {Sequence: 1, Stored: time.Unix(1, 0)},
		} {
			identity.Target = target
			for _, what := range []string{"reply", "dead", "1 reply"} {
				id := MessageID(identity, what)
				if seen[id] || id != MessageID(identity, what) {
					t.Errorf("%v %s: id %s is not its own", identity, what, id)
				}
				seen[id] = true
			}
		}
	}
}

func TestEventTypeKeysTellEverythingApart(t *testing.T) {
	orders := broker("default", "orders")
	seen := map[string][]string{}
	for _, identity := range [][]string{
		{"a", "b"}, {"ab", ""}, {"", "ab"}, {"a b"}, {`a" "b`}, {"a", "b", ""}, {"a.b", "*"}, {"a\xff"}, {`a\xff`}, {},
	} {
		key := EventTypeKey(orders, identity...)
		if other, found := seen[key]; found || key == EventTypeKey(broker("default", "other"), identity...) {
			t.Errorf("%q and %q are both at %s", identity, other, key)
		}
		seen[key] = identity
	}
}
