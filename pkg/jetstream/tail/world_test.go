package tail_test

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	natsjs "github.com/nats-io/nats.go/jetstream"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/dispatch"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/event"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/filter"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/ingress"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/buckets"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/internal/jstest"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/owner"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/publish"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/replay"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/tail"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/route"
	"github.com/eventing-jetstream/eventing-jetstream/test/natstest"
)

// world is a server with the Broker shop/orders and its Trigger shop/pay, which gets the types a and b.
type world struct {
	t         *testing.T
	client    *jetstream.Client
	broker    route.Address
	trigger   route.Target
	publisher *publish.Publisher
}

func newWorld(t *testing.T) *world {
	t.Helper()
	c := jstest.Connect(t, natstest.Start(t, nil))
	jstest.Must(t, buckets.Ensure(jstest.Context(t), c))
	w := &world{t: t, client: c}
	w.broker = route.Address{Key: route.Key{Kind: route.KindBroker, Namespace: "shop", Name: "orders"}, Log: route.Log{MaxBytes: 16 << 20}}
	w.trigger = route.Target{
		Key: route.TargetKey{Address: w.broker.Key, Namespace: "shop", Name: "pay"}, Subscriber: &route.Destination{URL: "http://subscriber.example/"},
		Filter: filter.Spec{Filters: []filter.Expression{{Any: []filter.Expression{
			{Exact: map[string]string{"type": "a"}}, {Exact: map[string]string{"type": "b"}},
		}}}},
	}
	o := owner.New(c, "files", time.Hour)
	_, err := o.PutAddress(jstest.Context(t), w.broker)
	jstest.Must(t, err)
	_, err = o.PutTarget(jstest.Context(t), w.trigger)
	jstest.Must(t, err)
	sender, err := publish.NewSender(c)
	jstest.Must(t, err)
	w.publisher = publish.New(c, sender)
	return w
}

// comes has the log store an event.
func (w *world) comes(id, eventType string) {
	w.t.Helper()
	_, err := w.publisher.Publish(jstest.Context(w.t), w.broker, []ingress.Message{jstest.Message(id, eventType)})
	jstest.Must(w.t, err)
}

func (w *world) log() natsjs.Stream {
	w.t.Helper()
	s, err := w.client.JetStream().Stream(jstest.Context(w.t), w.client.Names().Log(w.broker.Key))
	jstest.Must(w.t, err)
	return s
}

// viewer takes one event at a time, when the test asks for it.
type viewer struct {
	t      *testing.T
	shown  chan dispatch.Work
	ended  <-chan struct{}
	missed atomic.Uint64
}

func (v *viewer) Show(w dispatch.Work) error {
	select {
	case v.shown <- w:
		return nil
	case <-v.ended:
		return errors.New("the test has ended")
	}
}

func (v *viewer) Missed(events uint64) { v.missed.Add(events) }

// until returns the ids of the events that are shown, the last of which is this.
func (v *viewer) until(last string) (ids []string) {
	v.t.Helper()
	patience := time.NewTimer(jstest.Patience)
	defer patience.Stop()
	for {
		select {
		case w := <-v.shown:
			if ids = append(ids, w.Event.Attr(event.ID)); ids[len(ids)-1] == last {
				return ids
			}
		case <-patience.C:
			v.t.Fatalf("%q are shown, and never %s", ids, last)
		}
	}
}

// views runs a tail until the test ends.
func (w *world) views(of route.Record, s replay.Slice) *viewer {
	w.t.Helper()
	opened, err := tail.Open(jstest.Context(w.t), w.client, of, s)
	jstest.Must(w.t, err)
	ctx, stop := context.WithCancel(context.WithoutCancel(w.t.Context()))
	v := &viewer{t: w.t, shown: make(chan dispatch.Work), ended: ctx.Done()}
	var running sync.WaitGroup
	running.Go(func() {
		if err := opened.Run(ctx, v); err != nil {
			w.t.Errorf("the tail ends with %v", err)
		}
	})
	w.t.Cleanup(func() {
		stop()
		running.Wait()
	})
	return v
}
