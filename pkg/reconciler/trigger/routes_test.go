package trigger

import (
	"testing"

	eventingv1 "knative.dev/eventing/pkg/apis/eventing/v1"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/routes"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/reconciler/readiness"
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
		"paused": false, "pausedbroker": false, "resumed": true, "emptyfilter": true, "fullfilter": true, "lettersstay": true,
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

// filterRows are those of rows that are about what the reader of a filter is told.
func filterRows() []row {
	return []row{
		{name: "a filter that counts for nothing", trigger: newTrigger("emptyfilter", func(t *eventingv1.Trigger) {
			t.Spec.Filters = []eventingv1.SubscriptionsAPIFilter{}
		}), want: func(s *eventingv1.TriggerStatus) {
			readiness.MarkFilterIgnored((&eventingv1.Trigger{}).GetConditionSet().Manage(s), "spec.filters is empty: every event passes")
		}},
		{name: "a filter that counts again", trigger: newTrigger("fullfilter", func(t *eventingv1.Trigger) {
			readiness.MarkFilterIgnored(t.GetConditionSet().Manage(&t.Status), "spec.filters is empty: every event passes")
		}), want: func(s *eventingv1.TriggerStatus) {
			readiness.MarkFilterIgnored((&eventingv1.Trigger{}).GetConditionSet().Manage(s), "")
		}},
	}
}
