package route

import (
	"math/rand/v2"
	"testing"
)

func channel(name string, hosts ...string) Record {
	return Record{Address: &Address{Key: Key{Kind: KindChannel, Namespace: "shop", Name: name}, Owner: "tests", Hosts: hosts}}
}

func hostOf(t *Table, host string) string {
	a, ok := t.Host(host)
	if !ok {
		return ""
	}
	return a.Key.Name
}

func TestHostsFollowTheAddresses(t *testing.T) {
	table := NewTable()
	apply := func(r Record) { table.Apply("key", 1, r) }
	want := func(host, name string) {
		t.Helper()
		if got := hostOf(table, host); got != name {
			t.Errorf("%s is served by %q, want %q", host, got, name)
		}
	}
	apply(channel("b", "b.svc", "both.svc", "both.svc"))
	want("b.svc", "b")
	want("both.svc", "b")
	want("other.svc", "")
	apply(channel("a", "both.svc")) // two claim it: the first in order has it, in every process
	want("both.svc", "a")
	apply(channel("a"))
	want("both.svc", "b")
	apply(channel("b", "new.svc"))
	want("both.svc", "")
	want("b.svc", "")
	want("new.svc", "b")
	apply(tombstone(channel("b", "new.svc")))
	want("new.svc", "")
	apply(address("orders")) // a Broker has none
	want("", "")
	if len(table.hosts) != 0 {
		t.Errorf("the table still holds %v", table.hosts)
	}
}

// Which address has a host name does not depend on the order of the records.
func TestHostsAreTheSameInEveryProcess(t *testing.T) {
	records := []Record{channel("a", "x", "y"), channel("b", "y", "z"), channel("c", "x", "z"), tombstone(channel("a")), channel("d", "x")}
	last := map[string]string{"x": "c", "y": "b", "z": "b"}
	for range 20 {
		table := NewTable()
		for _, n := range rand.Perm(3) { //nolint:gosec // any order will do
			table.Apply("key", 1, records[n])
		}
		table.Apply("key", 1, records[3])
		table.Apply("key", 1, records[4])
		for host, name := range last {
			if got := hostOf(table, host); got != name {
				t.Fatalf("%s is served by %q, want %q", host, got, name)
			}
		}
	}
}

func TestCount(t *testing.T) {
	table := NewTable()
	subscriber := target("one")
	subscriber.Target.Key.Address.Kind = KindChannel
	for _, r := range []Record{address("orders"), channel("a"), channel("b"), target("one"), target("two"), subscriber} {
		table.Apply("key", 1, r)
	}
	s := table.Snapshot()
	if addresses, targets := s.Count(KindBroker); addresses != 1 || targets != 2 {
		t.Errorf("%d Brokers with %d Triggers, want 1 and 2", addresses, targets)
	}
	if addresses, targets := s.Count(KindChannel); addresses != 2 || targets != 1 {
		t.Errorf("%d Channels with %d subscribers, want 2 and 1", addresses, targets)
	}
}

func TestEndpoint(t *testing.T) {
	subscriber, reply := &Destination{URL: "http://subscriber/"}, &Destination{URL: "http://reply/"}
	for _, c := range []struct {
		name              string
		kind              Kind
		subscriber, reply *Destination
		want              *Destination
	}{
		{"subscriber alone", KindChannel, subscriber, nil, subscriber},
		{"both", KindChannel, subscriber, reply, subscriber},
		{"reply alone", KindChannel, nil, reply, reply},
		{"neither", KindChannel, nil, nil, nil},
		{"a Broker's replies go into its log", KindBroker, nil, reply, nil},
	} {
		target := Target{Key: TargetKey{Address: Key{Kind: c.kind}}, Subscriber: c.subscriber, Reply: c.reply}
		if got := target.Endpoint(); got != c.want {
			t.Errorf("%s: %+v, want %+v", c.name, got, c.want)
		}
	}
}
