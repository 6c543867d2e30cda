package replay_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	natsjs "github.com/nats-io/nats.go/jetstream"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/filter"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/ingress"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/buckets"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/internal/jstest"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/owner"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/publish"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/replay"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/route"
	"github.com/eventing-jetstream/eventing-jetstream/test/natstest"
)

// world is a server with the Broker shop/orders and its Trigger shop/pay, which gets the types a and b.
type world struct {
	t         *testing.T
	client    *jetstream.Client
	broker    route.Address
	publisher *publish.Publisher
}

var pay = replay.Of{Kind: route.KindBroker, Namespace: "shop", Name: "pay"}

func newWorld(t *testing.T) *world {
	t.Helper()
	c := jstest.Connect(t, natstest.Start(t, nil))
	jstest.Must(t, buckets.Ensure(jstest.Context(t), c))
	w := &world{t: t, client: c}
	w.broker = route.Address{Key: route.Key{Kind: route.KindBroker, Namespace: "shop", Name: "orders"}, Log: route.Log{MaxBytes: 16 << 20}}
	o := owner.New(c, "files", time.Hour)
	_, err := o.PutAddress(jstest.Context(t), w.broker)
	jstest.Must(t, err)
	_, err = o.PutTarget(jstest.Context(t), route.Target{
		Key: w.key(), Subscriber: &route.Destination{URL: "http://subscriber.example/"},
		Filter: filter.Spec{Filters: []filter.Expression{{Any: []filter.Expression{
			{Exact: map[string]string{"type": "a"}}, {Exact: map[string]string{"type": "b"}},
		}}}},
	})
	jstest.Must(t, err)
	sender, err := publish.NewSender(c)
	jstest.Must(t, err)
	w.publisher = publish.New(c, sender)
	return w
}

func (w *world) key() route.TargetKey {
	return route.TargetKey{Address: w.broker.Key, Namespace: "shop", Name: "pay"}
}

// comes has the log store events of the type, with ids that count on from 0.
func (w *world) comes(eventType string, ids ...string) {
	w.t.Helper()
	for _, id := range ids {
		_, err := w.publisher.Publish(jstest.Context(w.t), w.broker, []ingress.Message{jstest.Message(id, eventType)})
		jstest.Must(w.t, err)
	}
}

// ids are 0 to n-1.
func ids(n int) (all []string) {
	for i := range n {
		all = append(all, fmt.Sprint(i))
	}
	return all
}

func (w *world) stream(name string) natsjs.Stream {
	w.t.Helper()
	s, err := w.client.JetStream().Stream(jstest.Context(w.t), name)
	jstest.Must(w.t, err)
	return s
}

// directed returns what the Trigger is to get, once nothing is on its way to there.
func (w *world) directed() (messages []*natsjs.RawStreamMsg) {
	w.t.Helper()
	names := w.client.Names()
	stream := w.stream(names.DirectedStream(w.broker.Key))
	jstest.Await(w.t, "all that is due is sent", func() bool {
		info, err := stream.Info(jstest.Context(w.t), natsjs.WithSubjectFilter(names.ParkedSubjects(w.broker.Key)))
		jstest.Must(w.t, err)
		return len(info.State.Subjects) == 0
	})
	info, err := stream.Info(jstest.Context(w.t))
	jstest.Must(w.t, err)
	for at := info.State.FirstSeq; at <= info.State.LastSeq; at++ {
		m, err := stream.GetMsg(jstest.Context(w.t), at)
		if errors.Is(err, natsjs.ErrMsgNotFound) {
			continue
		}
		jstest.Must(w.t, err)
		if m.Subject != names.DirectedSubject(w.key()) {
			w.t.Errorf("a message is for %s", m.Subject)
		}
		messages = append(messages, m)
	}
	return messages
}

// wants compares the ids of what the Trigger is to get, in whatever order.
func (w *world) wants(want ...string) {
	w.t.Helper()
	var got []string
	for _, m := range w.directed() {
		got = append(got, m.Header.Get("ce-id"))
	}
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		w.t.Errorf("%d events are for the Trigger, %q, want %d, %q", len(got), got, len(want), want)
	}
}

// taken removes what the Trigger is to get, as if that were delivered.
func (w *world) taken() {
	w.t.Helper()
	jstest.Must(w.t, w.stream(w.client.Names().DirectedStream(w.broker.Key)).Purge(jstest.Context(w.t)))
}

func (w *world) look(s replay.Slice) *replay.Replay {
	w.t.Helper()
	r, err := replay.Look(jstest.Context(w.t), w.client, pay, s)
	jstest.Must(w.t, err)
	return r
}

func (w *world) begin(s replay.Slice) *replay.Replay {
	w.t.Helper()
	r := w.look(s)
	jstest.Must(w.t, r.Begin(jstest.Context(w.t), false))
	return r
}

func (w *world) resume() *replay.Replay {
	w.t.Helper()
	r, err := replay.Resume(jstest.Context(w.t), w.client, pay)
	jstest.Must(w.t, err)
	return r
}

func (w *world) runs(r *replay.Replay) {
	w.t.Helper()
	jstest.Must(w.t, r.Run(jstest.Context(w.t), 0, func(replay.Record) {}))
}
