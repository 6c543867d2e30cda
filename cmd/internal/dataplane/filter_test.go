package dataplane

import (
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/delivery"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/event"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/ingress"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/buckets"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/owner"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/publish"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/naming"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/route"
	"github.com/eventing-jetstream/eventing-jetstream/test/natstest"
)

// A filter that leaves withdraws its report: from then on an edit does not wait for it. So it
// begins no delivery, not even a retry, while the requests in flight finish.
func TestAFilterThatLeavesBeginsNoDelivery(t *testing.T) {
	server := natstest.Start(t, nil)
	names, err := naming.New("kn")
	must(t, err)
	client, err := jetstream.Connect(jetstream.Options{URL: server.URL(), Names: names, Logger: slog.New(slog.DiscardHandler)})
	must(t, err)
	t.Cleanup(client.Close)
	must(t, client.Wait(t.Context()))
	must(t, buckets.Ensure(t.Context(), client))
	var requests atomic.Int64
	subscriber := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		requests.Add(1)
		w.WriteHeader(http.StatusServiceUnavailable)
	}))
	t.Cleanup(subscriber.Close)
	o := owner.New(client, "tests", time.Hour)
	broker := route.Address{Key: route.Key{Kind: route.KindBroker, Namespace: "shop", Name: "orders"}, Log: route.Log{MaxBytes: 1 << 20}}
	_, err = o.PutAddress(t.Context(), broker)
	must(t, err)
	put, err := o.PutTarget(t.Context(), route.Target{
		Key: route.TargetKey{Address: broker.Key, Namespace: "shop", Name: "one"}, Subscriber: &route.Destination{URL: subscriber.URL},
		Delivery: delivery.Policy{Retry: 100, Backoff: delivery.LinearBackoff, Delay: 200 * time.Millisecond},
	})
	must(t, err)

	f, err := NewFilter(FilterConfig{Client: client, Logger: slog.New(slog.DiscardHandler)})
	must(t, err)
	ctx, leave := context.WithCancel(t.Context())
	left := make(chan struct{})
	go func() {
		defer close(left)
		f.Run(ctx)
	}()
	eventually(t, "the Trigger is ready", func() bool {
		reports, err := buckets.Reports(t.Context(), client)
		must(t, err)
		ready, _ := route.Ready(reports, route.RoleFilter, put.Place)
		return ready
	})
	publish := func(id string) {
		t.Helper()
		e := event.Event{Attributes: []event.Attribute{
			{Name: event.SpecVersion, Value: "1.0"}, {Name: event.ID, Value: id}, {Name: event.Source, Value: "/tests"}, {Name: event.Type, Value: "t"},
		}}
		sender, err := publish.NewSender(client)
		must(t, err)
		_, err = publish.New(client, sender).Publish(t.Context(), broker, []ingress.Message{{ID: id, Event: e}})
		must(t, err)
	}
	publish("tried again")
	eventually(t, "it is tried again", func() bool { return requests.Load() > 2 })
	leave()
	<-left
	before := requests.Load()
	publish("first")
	<-time.After(time.Second) // five retries
	if after := requests.Load(); after > before+1 {
		t.Errorf("%d deliveries began after the report was withdrawn", after-before)
	}
	f.Drain(t.Context())
}

func eventually(t *testing.T, what string, condition func() bool) {
	t.Helper()
	end := time.After(20 * time.Second)
	for !condition() {
		select {
		case <-time.After(10 * time.Millisecond):
		case <-end:
			t.Fatalf("waited in vain: %s", what)
		}
	}
}
