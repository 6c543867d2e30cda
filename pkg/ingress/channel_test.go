package ingress_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/event"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/ingress"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/route"
)

// A Channel is found by its path or, with the path "/", by its host; a Broker only by its path.
func TestPathAndHostOfAChannel(t *testing.T) {
	broker := route.Key{Kind: route.KindBroker, Namespace: "default", Name: "orders"}
	for _, row := range []struct {
		name, host, path string
		wantStatus       int
		want             route.Key
	}{
		{"host", channelHost, "/", 202, channel().Key},
		{"host in capitals, with a port", strings.ToUpper(channelHost) + ":80", "/", 202, channel().Key},
		{"host with its last dot", channelHost + ".", "/", 202, channel().Key},
		{"path", "", "/channels/default/orders", 202, channel().Key},
		{"path at another Channel's host", channelHost, "/channels/default/orders", 202, channel().Key},
		{"the path says more than the host", channelHost, "/default/orders", 202, broker},
		{"the path of nothing at a Channel's host", channelHost, "/default", 400, route.Key{}},
		{"unknown host", "other-kn-jsm-channel.default.svc.cluster.local", "/", 404, route.Key{}},
		{"host with more in front", "x." + channelHost, "/", 404, route.Key{}},
		{"IPv6 address", "[::1]:80", "/", 404, route.Key{}},
	} {
		t.Run(row.name, func(t *testing.T) {
			store := &publisher{}
			address := serve(t, ingress.New(configFor(store)), 0)
			r := request(t, http.MethodPost, "http://"+address+row.path, strings.NewReader("hello"), nil)
			r.Host = row.host
			if answer := do(t, client(t, "HTTP/1.1"), r); answer.StatusCode != row.wantStatus {
				t.Fatalf("status %d, want %d: %s", answer.StatusCode, row.wantStatus, answer.body)
			}
			if row.wantStatus == http.StatusAccepted && !slices.Equal(store.to, []route.Key{row.want}) {
				t.Errorf("stored for %v, want %v", store.to, row.want)
			}
		})
	}
}

// A Channel's event is stored unchanged: without hop count and arrival time, unless the sender set
// them.
func TestChannelEventsAreNotChanged(t *testing.T) {
	brought := map[string]string{"Ce-Knativebrokerttl": "0", "Ce-Knativearrivaltime": "whenever"}
	for _, row := range []struct {
		name   string
		header map[string]string
		body   string
		want   []event.Attribute
	}{
		{name: "binary", body: "hello"},
		{name: "structured", header: map[string]string{"Content-Type": "application/cloudevents+json", "Ce-Specversion": ""},
			body: `{"specversion":"1.0","id":"1","source":"/shop","type":"order.made","datacontenttype":"text/plain","data":"hello"}`},
		{name: "batch", header: map[string]string{"Content-Type": "application/cloudevents-batch+json", "Ce-Specversion": ""},
			body: `[{"specversion":"1.0","id":"1","source":"/shop","type":"order.made","datacontenttype":"text/plain","data":"hello"}]`},
		{name: "binary with a Broker's attributes", header: brought, body: "hello", want: []event.Attribute{
			{Name: event.HopCount, Value: "0"}, {Name: event.ArrivalTime, Value: "whenever"},
		}},
	} {
		t.Run(row.name, func(t *testing.T) {
			store := &publisher{}
			address := serve(t, ingress.New(configFor(store)), 0)
			r := request(t, http.MethodPost, "http://"+address+"/channels/default/orders", strings.NewReader(row.body), row.header)
			if answer := do(t, client(t, "HTTP/1.1"), r); answer.StatusCode != http.StatusAccepted {
				t.Fatalf("status %d: %s", answer.StatusCode, answer.body)
			}
			want := append([]event.Attribute{
				{Name: event.DataContentType, Value: "text/plain"}, {Name: event.ID, Value: "1"}, {Name: event.Source, Value: "/shop"},
				{Name: event.SpecVersion, Value: "1.0"}, {Name: event.Type, Value: "order.made"},
			}, row.want...)
			byName := func(a, b event.Attribute) int { return strings.Compare(a.Name, b.Name) }
			slices.SortFunc(want, byName)
			got := slices.SortedFunc(slices.Values(store.got()[0].Event.Attributes), byName)
			if !slices.Equal(got, want) || string(store.got()[0].Event.Data) != "hello" {
				t.Errorf("stored %v %q, want %v", got, store.got()[0].Event.Data, want)
			}
		})
	}
}
