package dataplane

import (
	"log/slog"
	"testing"
	"time"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/buckets"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/owner"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/naming"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/route"
	"github.com/eventing-jetstream/eventing-jetstream/test/natstest"
)

// A filter reads only once it has applied every record that was written before its report (I3), and
// again so after a gap in its reports.
func TestAFilterTrustsOnlyWhatItHasCaughtUpWith(t *testing.T) {
	server := natstest.Start(t, nil)
	names, err := naming.New("kn")
	must(t, err)
	client, err := jetstream.Connect(jetstream.Options{URL: server.URL(), Names: names, Logger: slog.New(slog.DiscardHandler)})
	must(t, err)
	t.Cleanup(client.Close)
	must(t, client.Wait(t.Context()))
	must(t, buckets.Ensure(t.Context(), client))
	f, err := NewFilter(FilterConfig{Client: client, Logger: slog.New(slog.DiscardHandler)})
	must(t, err)
	routes := owner.New(client, "tests", time.Hour)
	broker := route.Address{Key: route.Key{Kind: route.KindBroker, Namespace: "shop", Name: "orders"}, Log: route.Log{MaxBytes: 1 << 20}}
	_, err = routes.PutAddress(t.Context(), broker)
	must(t, err)

	var last owner.Applied
	put := func(name string) {
		t.Helper()
		last, err = routes.PutTarget(t.Context(), route.Target{Key: route.TargetKey{Address: broker.Key, Namespace: "shop", Name: name}})
		must(t, err)
	}
	apply := func() { f.applied = route.Snapshot{Revision: last.Revision, Bucket: last.Bucket} }
	trusts := func(what string, reported time.Time, want bool) {
		t.Helper()
		must(t, f.trustTargets(t.Context(), reported))
		if f.opener.Trusted() != want {
			t.Fatalf("%s: it trusts its targets: %v, want %v", what, !want, want)
		}
	}

	now := time.Now()
	put("one")
	trusts("nothing is applied", now, false)
	apply()
	put("two")
	trusts("what was there at its first report is applied; what came later waits for it", now, true)

	f.opener.TrustUntil(time.Time{}, f.opener.Heard())
	trusts("after a break, and not all is applied", now, false)
	apply()
	put("three")
	trusts("after a pause in its reports", now.Add(route.ReportTTL), false)
	apply()
	trusts("all is applied", now.Add(route.ReportTTL), true)

	put("four")
	f.opener.TrustUntil(time.Time{}, f.opener.Heard())
	trusts("not all is applied", now.Add(route.ReportTTL), false)
	apply()
	server.Stop()
	eventually(t, "the outage is noticed", func() bool { return !client.Connected() })
	server.Restart()
	eventually(t, "the client is back", client.Connected)
	must(t, buckets.Ensure(t.Context(), client))
	put("five")
	trusts("what it had to apply before an outage of NATS is applied, and not what came since", now.Add(route.ReportTTL), false)
	apply()
	trusts("all is applied after the outage", now.Add(route.ReportTTL), true)
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
