package letters_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	natsjs "github.com/nats-io/nats.go/jetstream"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/dispatch"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/filter"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/buckets"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/consume"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/internal/jstest"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/letters"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/owner"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/park"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/publish"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/naming"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/route"
	"github.com/eventing-jetstream/eventing-jetstream/test/natstest"
)

// world is a server with a Broker and its Triggers.
type world struct {
	t      *testing.T
	client *jetstream.Client
	owner  *owner.Owner
	broker route.Address
	store  *park.Store
}

func newWorld(t *testing.T) *world {
	t.Helper()
	c := jstest.Connect(t, natstest.Start(t, nil))
	c.Timing().FirstSequence = func() uint64 { return 1 } // what is no event is named by its place
	jstest.Must(t, buckets.Ensure(jstest.Context(t), c))
	w := &world{t: t, client: c, owner: owner.New(c, "tests", time.Nanosecond)}
	w.broker = w.address(route.KindBroker, "orders")
	sender, err := publish.NewSender(c)
	jstest.Must(t, err)
	w.store = park.New(c, sender, jstest.Table(w.broker))
	return w
}

func (w *world) address(kind route.Kind, name string) route.Address {
	w.t.Helper()
	a := route.Address{Key: route.Key{Kind: kind, Namespace: "shop", Name: name}, Log: route.Log{MaxBytes: 16 << 20}}
	_, err := w.owner.PutAddress(jstest.Context(w.t), a)
	jstest.Must(w.t, err)
	return a
}

// trigger is a Trigger of the Broker that gets events of the type "a".
func (w *world) trigger(name string) route.Target {
	w.t.Helper()
	target := route.Target{
		Key:        route.TargetKey{Address: w.broker.Key, Namespace: "shop", Name: name},
		Filter:     filter.Spec{Filters: []filter.Expression{{Exact: map[string]string{"type": "a"}}}},
		Subscriber: &route.Destination{URL: "http://subscriber.example/" + name},
	}
	_, err := w.owner.PutTarget(jstest.Context(w.t), target)
	jstest.Must(w.t, err)
	r, _, err := owner.Record(jstest.Context(w.t), w.client, naming.TargetKey(target.Key))
	jstest.Must(w.t, err)
	return *r.Target
}

// fails makes a dead letter of the event with this id, which the log has at the sequence.
func (w *world) fails(target route.Target, id string, sequence uint64) dispatch.Work {
	w.t.Helper()
	work := jstest.Work(id, sequence)
	work.Stored = time.Unix(1_700_000_000, 5).UTC()
	jstest.Must(w.t, w.store.DeadLetter(jstest.Context(w.t), target, work))
	return work
}

// foreign puts a message into the dead-letter stream that is none of ours.
func (w *world) foreign(target route.Target, data string) {
	w.t.Helper()
	_, err := w.client.JetStream().Publish(jstest.Context(w.t), w.client.Names().DeadLetterSubject(target.Key), []byte(data))
	jstest.Must(w.t, err)
}

// all returns the selected letters.
func (w *world) all(s letters.Selection) (found []letters.Letter) {
	w.t.Helper()
	for l, err := range letters.All(jstest.Context(w.t), w.client, s) {
		jstest.Must(w.t, err)
		found = append(found, l)
	}
	return found
}

// restore puts a message as it was into the dead-letter stream, as if it had not been deleted.
func (w *world) restore(m *natsjs.RawStreamMsg) {
	w.t.Helper()
	copied := &nats.Msg{Subject: m.Subject, Header: m.Header, Data: m.Data}
	copied.Header.Del(natsjs.MsgIDHeader)
	_, err := w.client.JetStream().PublishMsg(jstest.Context(w.t), copied)
	jstest.Must(w.t, err)
}

// stored returns the first dead letter as it is stored.
func (w *world) stored() *natsjs.RawStreamMsg {
	w.t.Helper()
	stream, err := w.client.JetStream().Stream(jstest.Context(w.t), w.client.Names().DeadLetterStream(w.broker.Key))
	jstest.Must(w.t, err)
	m, err := stream.GetMsg(jstest.Context(w.t), stream.CachedInfo().State.FirstSeq)
	jstest.Must(w.t, err)
	return m
}

// delivered reads what is due in the directed stream as a filter process does that serves these targets, until nothing is left. The
// work is by the name of its target.
func (w *world) delivered(targets ...route.Target) map[string][]dispatch.Work {
	w.t.Helper()
	ctx, end := context.WithCancel(context.Background())
	opener := consume.New(consume.Config{Client: w.client, Park: w.store.Park})
	before := w.client.Conn().NumSubscriptions()
	var running sync.WaitGroup
	running.Go(func() { opener.Run(ctx) })
	defer func() { end(); running.Wait() }()
	jstest.Await(w.t, "it hears of changes", func() bool { return w.client.Conn().NumSubscriptions() > before })
	opener.TrustUntil(time.Now().Add(time.Hour), opener.Heard())
	known := route.Snapshot{Targets: map[route.TargetKey]route.Target{}}
	for _, target := range targets {
		known.Targets[target.Key] = target
	}
	opener.Follow(known)
	got, sources := map[string][]dispatch.Work{}, map[string]dispatch.Source{}
	for _, target := range targets {
		sources[target.Key.Name] = opener.Directed(target)
		defer sources[target.Key.Name].Stop()
	}
	jstest.Await(w.t, "nothing is left in the directed stream", func() bool {
		for name, source := range sources {
			for m, more := source.Take(); more; m, more = source.Take() {
				got[name] = append(got[name], m.Work)
				jstest.Must(w.t, m.Ack())
			}
		}
		return w.messages(w.client.Names().DirectedStream(w.broker.Key)) == 0
	})
	return got
}

// messages is how many the stream has.
func (w *world) messages(stream string) uint64 {
	w.t.Helper()
	s, err := w.client.JetStream().Stream(jstest.Context(w.t), stream)
	jstest.Must(w.t, err)
	return s.CachedInfo().State.Msgs
}

func (w *world) deadLetters() uint64 {
	return w.messages(w.client.Names().DeadLetterStream(w.broker.Key))
}
