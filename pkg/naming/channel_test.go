package naming

import (
	"testing"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/route"
)

func TestNamesOfAChannel(t *testing.T) {
	n := newNames(t, DefaultPrefix)
	orders := route.Key{Kind: route.KindChannel, Namespace: "default", Name: "orders"}
	one := trigger(orders, "7d4b3a4e-uid")
	for _, test := range []struct{ name, got, want string }{
		{"log", n.Log(orders), "kn_log_channel_default_orders"},
		{"log subjects", n.LogSubjects(orders), "kn.e.channel.default.orders.>"},
		{"consumer", n.Consumer(one), "subscriber_default_7d4b3a4e-uid"},
		{"consumer of a foreign stream", n.ForeignConsumer(one), "kn_subscriber_default_orders_default_7d4b3a4e-uid"},
		{"target key", TargetKey(one), "target.channel.default.orders.default.7d4b3a4e-uid"},
		{"string", one.String(), "subscriber default/7d4b3a4e-uid of channel default/orders"},
		{"path", orders.Path(), "/channels/default/orders"},
		{"a Broker's path", broker("channels", "orders").Path(), "/channels/orders"},
	} {
		if test.got != test.want {
			t.Errorf("%s: got %s, want %s", test.name, test.got, test.want)
		}
	}
}
