package dataplane

import (
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/event"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/ingress"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/buckets"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/owner"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/publish"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/route"
	"github.com/eventing-jetstream/eventing-jetstream/test/natstest"
)

// A single NATS server forgets the reports when it restarts. Delivery goes on, in old and new
// filters, although no owner of routes makes their bucket again.
func TestDeliveryOutlivesARestartOfNATSWithoutAnOwner(t *testing.T) {
	server := natstest.Start(t, nil)
	client := connect(t, server.URL())
	must(t, buckets.Ensure(t.Context(), client))
	delivered := make(chan string, 100)
	subscriber := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { delivered <- r.Header.Get("Ce-Id") }))
	t.Cleanup(subscriber.Close)
	o := owner.New(client, "tests", time.Hour)
	broker := route.Address{Key: route.Key{Kind: route.KindBroker, Namespace: "shop", Name: "orders"}, Log: route.Log{MaxBytes: 1 << 20}}
	_, err := o.PutAddress(t.Context(), broker)
	must(t, err)
	put, err := o.PutTarget(t.Context(), route.Target{
		Key: route.TargetKey{Address: broker.Key, Namespace: "shop", Name: "one"}, Subscriber: &route.Destination{URL: subscriber.URL},
	})
	must(t, err)
	gets := func(id string) {
		t.Helper()
		e := event.Event{Attributes: []event.Attribute{
			{Name: event.SpecVersion, Value: "1.0"}, {Name: event.ID, Value: id}, {Name: event.Source, Value: "/tests"}, {Name: event.Type, Value: "t"},
		}}
		sender, err := publish.NewSender(client)
		must(t, err)
		_, err = publish.New(client, sender).Publish(t.Context(), broker, []ingress.Message{{ID: id, Event: e}})
		must(t, err)
		eventually(t, "the event "+id+" is delivered", func() bool {
			select {
			case got := <-delivered:
				return got == id
			default:
				return false
			}
		})
	}

	stop := runFilter(t, connect(t, server.URL()))
	gets("before")
	server.Stop()
	eventually(t, "the outage is noticed", func() bool { return !client.Connected() })
	server.Restart()
	eventually(t, "the client is back", client.Connected)
	gets("after")
	stop()
	runFilter(t, connect(t, server.URL()))
	gets("anew")

	if reports, err := buckets.Reports(t.Context(), client); err != nil || reports.Lost.IsZero() {
		t.Errorf("the reports are %+v, %v; want that they are lost", reports, err)
	}
	must(t, buckets.Ensure(t.Context(), client))
	eventually(t, "it reports", func() bool {
		reports, err := buckets.Reports(t.Context(), client)
		return err == nil && len(reports.Live) == 1 && reports.Live[0].Past(put.Place) && !reports.Lost.IsZero()
	})
}

// runFilter runs a filter until the test ends, or until it is stopped.
func runFilter(t *testing.T, client *jetstream.Client) (stop func()) {
	t.Helper()
	f, err := NewFilter(FilterConfig{Client: client, Logger: slog.New(slog.DiscardHandler)})
	must(t, err)
	ctx, leave := context.WithCancel(t.Context())
	left := make(chan struct{})
	go func() {
		defer close(left)
		f.Run(ctx)
	}()
	stop = sync.OnceFunc(func() {
		leave()
		<-left
		f.Drain(context.WithoutCancel(t.Context()))
	})
	t.Cleanup(stop)
	return stop
}
