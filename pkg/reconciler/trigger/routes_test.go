package trigger

import (
	"testing"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/routes"
)

// checkRoutes looks at what the rows left in NATS: who has a cursor, and who is not delivered to.
func checkRoutes(t *testing.T, client *jetstream.Client) {
	t.Helper()
	records, err := routes.Records(t.Context(), client, "")
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]bool{}
	for _, r := range records {
		if r.Target != nil {
			got[r.Target.Key.Name] = r.Target.Delivers() && r.Target.Consumer != ""
		}
	}
	want := map[string]bool{
		"well": true, "secure": true, "securesink": true, "service": true, "bad": true, "sink": true, "brokersink": true, "dependency": true, "cross": true, "nodependency": true,
		"waits": true, "lags": true, "oidc": true, "nofilter": true, "noletters": true, "nosubscriber": false, "nosink": false, "nobrokersink": false,
		"paused": false, "pausedbroker": false, "resumed": true,
	}
	for name, delivers := range want {
		if have, ok := got[name]; !ok || have != delivers {
			t.Errorf("Trigger %s: route %t, delivers %t; want %t", name, ok, have, delivers)
		}
	}
	if len(got) != len(want) {
		t.Errorf("routes of %v", got)
	}
}
