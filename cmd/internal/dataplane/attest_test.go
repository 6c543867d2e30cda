package dataplane

import (
	"errors"
	"log/slog"
	"maps"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	natsjetstream "github.com/nats-io/nats.go/jetstream"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/naming"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/route"
	"github.com/eventing-jetstream/eventing-jetstream/test/natstest"
)

// A filter that may not have heard of a target must not read what that shares with others.
func TestAFilterAttestsOnlyWhatItHasCaughtUpWith(t *testing.T) {
	server := natstest.Start(t, nil)
	names, err := naming.New("kn")
	must(t, err)
	client, err := jetstream.Connect(jetstream.Options{URL: server.URL(), Names: names, Logger: slog.New(slog.DiscardHandler)})
	must(t, err)
	t.Cleanup(client.Close)
	must(t, client.Wait(t.Context()))
	must(t, client.EnsureBuckets(t.Context()))
	f, err := NewFilter(FilterConfig{Client: client, Logger: slog.New(slog.DiscardHandler)})
	must(t, err)
	owner := client.NewOwner("tests", time.Hour)
	broker := route.Address{Key: route.Key{Kind: route.KindBroker, Namespace: "shop", Name: "orders"}, Log: route.Log{MaxBytes: 1 << 20}}
	_, err = owner.PutAddress(t.Context(), broker)
	must(t, err)

	var last jetstream.Applied
	targets := map[route.TargetKey]route.Target{}
	put := func(name string) { // the third one shares
		target := route.Target{Key: route.TargetKey{Address: broker.Key, Namespace: "shop", Name: name}}
		last, err = owner.PutTarget(t.Context(), target)
		must(t, err)
		targets[target.Key] = target
	}
	apply := func() {
		f.applied = route.Snapshot{Revision: last.Revision, Bucket: last.Bucket, Targets: maps.Clone(targets)}
	}
	attests := func(what string, want bool, wantErr error) {
		t.Helper()
		if err := f.attest(t.Context(), time.Now()); !errors.Is(err, wantErr) {
			t.Fatalf("%s: error %v, want %v", what, err, wantErr)
		}
		if f.opener.Attested() != want {
			t.Fatalf("%s: it attests: %v, want %v", what, !want, want)
		}
	}

	attests("nothing is applied", false, nil)
	put("one")
	put("two")
	apply()
	put("three")
	f.word = word{} // the end was read before there were Triggers
	attests("routes are applied in part", false, nil)
	apply()
	attests("all routes are applied", true, nil)

	f.opener.Attest(time.Time{})
	conn, err := nats.Connect(server.URL())
	must(t, err)
	defer conn.Close()
	js, err := natsjetstream.New(conn)
	must(t, err)
	routes, err := js.KeyValue(t.Context(), names.RoutesBucket())
	must(t, err)
	lost := route.TargetKey{Address: broker.Key, Namespace: "shop", Name: "three"}
	must(t, routes.Purge(t.Context(), naming.TargetKey(lost)))
	put("four")
	delete(targets, lost)
	apply()
	attests("the record of one that shares is lost", false, errLostRoute)
	put("three")
	attests("it is back, and not applied", false, nil)
	put("five") // one that is new must not keep it waiting
	delete(targets, route.TargetKey{Address: broker.Key, Namespace: "shop", Name: "five"})
	apply()
	attests("it is applied", true, nil)
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
