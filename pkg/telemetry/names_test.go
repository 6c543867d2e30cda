package telemetry_test

import (
	"testing"

	"k8s.io/apimachinery/pkg/types"
	"knative.dev/eventing/pkg/observability"
	"knative.dev/eventing/pkg/tracing"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/route"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/telemetry"
)

// The names are upstream's, whatever upstream calls them.
func TestNamesAreUpstreams(t *testing.T) {
	broker := route.Key{Kind: route.KindBroker, Namespace: "ns", Name: "b"}
	channel := route.Key{Kind: route.KindChannel, Namespace: "ns", Name: "c"}
	subscriber := route.Target{Key: route.TargetKey{Address: channel, Namespace: "ns", Name: "some-uid"}, Name: "sub"}
	for _, row := range []struct{ what, got, want string }{
		{"Broker", telemetry.AddressDestination(broker), tracing.BrokerMessagingDestination(types.NamespacedName{Namespace: "ns", Name: "b"})},
		{"Trigger", telemetry.TargetDestination(route.Target{Key: route.TargetKey{Address: broker, Namespace: "ns", Name: "t"}}),
			tracing.TriggerMessagingDestination(types.NamespacedName{Namespace: "ns", Name: "t"})},
		{"Subscription", telemetry.TargetDestination(subscriber), tracing.SubscriptionMessagingDestination(types.NamespacedName{Namespace: "ns", Name: "sub"})},
		{"Broker's name", string(telemetry.Address(broker)[1].Key), string(observability.BrokerName.With("").Key)},
		{"Broker's namespace", string(telemetry.Address(broker)[0].Key), string(observability.BrokerNamespace.With("").Key)},
		{"Channel's name", string(telemetry.Address(channel)[1].Key), string(observability.ChannelName.With("").Key)},
		{"Channel's namespace", string(telemetry.Address(channel)[0].Key), string(observability.ChannelNamespace.With("").Key)},
	} {
		if row.got != row.want {
			t.Errorf("%s: %q, want %q", row.what, row.got, row.want)
		}
	}
}
