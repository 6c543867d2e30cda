package telemetry_test

import (
	"fmt"
	"maps"
	"testing"

	sdk "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/count"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/route"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/telemetry"
)

// Metrics show what is counted at the moment of the collection, of the routes that there are then.
func TestObserve(t *testing.T) {
	broker := route.Key{Kind: route.KindBroker, Namespace: "ns", Name: "b"}
	table := route.NewTable()
	table.Apply("a", 1, route.Record{Address: &route.Address{Key: broker}})
	for role, want := range map[route.Role]map[string]int64{
		route.RoleIngress: {telemetry.EventsAccepted: 2, telemetry.EventsRefused + " busy": 3},
		route.RoleFilter: {
			telemetry.EventsUnmatched: 1, telemetry.EventsDelivered + " trigger:t.ns": 1, telemetry.EventsParked + " trigger:t.ns": 0,
			telemetry.EventsDead + " trigger:t.ns": 0, telemetry.EventsRetrying + " trigger:t.ns": 5, telemetry.AttemptsInFlight + " trigger:t.ns": 1,
			telemetry.AttemptsFailed + " trigger:t.ns timeout": 1,
		},
	} {
		t.Run(string(role), func(t *testing.T) {
			reader := sdk.NewManualReader()
			if err := telemetry.Observe(sdk.NewMeterProvider(sdk.WithReader(reader)), role, table.Snapshot); err != nil {
				t.Fatal(err)
			}
			table.Apply("t", 2, route.Record{Target: &route.Target{Key: route.TargetKey{Address: broker, Namespace: "ns", Name: "t"}}})
			s := table.Snapshot()
			if address := s.Addresses[broker]; address.Counts.Read(0).IsZero() {
				address.Counts.Accept(2)
				address.Counts.Refuse(3, 429, "")
				address.Counts.Unmatch()
				target := s.Targets[route.TargetKey{Address: broker, Namespace: "ns", Name: "t"}]
				target.Counts.Begin()
				target.Counts.Deliver()
				target.Counts.Wait(5)
				target.Counts.Fail(count.Timeout, count.Failure{})
			}
			var all metricdata.ResourceMetrics
			if err := reader.Collect(t.Context(), &all); err != nil {
				t.Fatal(err)
			}
			got := map[string]int64{}
			for _, m := range all.ScopeMetrics[0].Metrics {
				for _, point := range m.Data.(metricdata.Sum[int64]).DataPoints {
					name := m.Name
					for _, key := range []string{string(telemetry.MessagingDest), string(telemetry.ErrorType)} {
						for _, a := range point.Attributes.ToSlice() {
							if string(a.Key) == key {
								name += " " + a.Value.AsString()
							}
						}
					}
					if value, ok := point.Attributes.Value(telemetry.BrokerName); !ok || value.AsString() != "b" {
						t.Errorf("%s is not about the Broker", name)
					}
					got[name] = point.Value
				}
			}
			if !maps.Equal(got, want) {
				t.Errorf("the metrics are\n%s\nwant\n%s", fmt.Sprint(got), fmt.Sprint(want))
			}
		})
	}
}
