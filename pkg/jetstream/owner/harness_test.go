package owner

import (
	"fmt"
	"log/slog"
	"strconv"
	"testing"
	"time"

	natsjs "github.com/nats-io/nats.go/jetstream"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/delivery"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/dispatch"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/event"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/filter"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/ingress"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/buckets"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/internal/jstest"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/park"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/publish"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/naming"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/route"
	"github.com/eventing-jetstream/eventing-jetstream/test/natstest"
)

func one() uint64 { return 1 }

// brisk are time budgets for tests that wait for one to run out.
func brisk(c *jetstream.Client) {
	*c.Timing() = jetstream.Timing{
		Now: time.Now, FirstSequence: one,
		AckWait: time.Second, RenewEvery: 300 * time.Millisecond,
		TrimEvery: time.Second, CheckEvery: 100 * time.Millisecond, Heartbeat: 500 * time.Millisecond, ReportTTL: time.Second,
		RouteMarkerTTL: time.Second, StrayPatience: jetstream.DefaultTiming().StrayPatience,
	}
}

// dial connects one more process to the server. It is killed when the test ends.
func dial(t testing.TB, s *natstest.Server, adjust ...func(*jetstream.Client)) *jetstream.Client {
	t.Helper()
	return dialAs(t, s, naming.DefaultPrefix, adjust...)
}

func dialAs(t testing.TB, s *natstest.Server, prefix string, adjust ...func(*jetstream.Client)) *jetstream.Client {
	t.Helper()
	return dialURL(t, s.URL(), prefix, adjust...)
}

func dialURL(t testing.TB, url, prefix string, adjust ...func(*jetstream.Client)) *jetstream.Client {
	t.Helper()
	names, err := naming.New(prefix)
	jstest.Must(t, err)
	return connect(t, jetstream.Options{URL: url, Names: names}, adjust...)
}

func connect(t testing.TB, o jetstream.Options, adjust ...func(*jetstream.Client)) *jetstream.Client {
	t.Helper()
	o.Logger = slog.New(slog.DiscardHandler)
	c, err := jetstream.Connect(o)
	jstest.Must(t, err)
	c.Timing().FirstSequence = one // most tests name events by their place
	for _, f := range adjust {
		f(c)
	}
	t.Cleanup(func() { kill(c) })
	if err := c.Wait(jstest.Context(t)); err != nil {
		t.Fatal(err)
	}
	return c
}

// kill ends a process as SIGKILL would: nothing is given back, nothing is sent any more.
func kill(c *jetstream.Client) {
	c.EventsConn().Close()
	c.Conn().Close()
	c.Close()
}

// stop stops the server and waits until the client's connections have noticed.
func (i *installation) stop() {
	i.t.Helper()
	i.server.Stop()
	jstest.Await(i.t, "the outage is noticed", func() bool { return !i.client.Conn().IsConnected() && !i.client.EventsConn().IsConnected() })
}

// restart starts the server again and waits until the client is back.
func (i *installation) restart() {
	i.t.Helper()
	i.server.Restart()
	jstest.Await(i.t, "the client is back", i.client.Connected)
}

// installation is a server with one owner, whose Broker is ready for events.
type installation struct {
	t      testing.TB
	server *natstest.Server
	client *jetstream.Client
	owner  *Owner
	broker route.Address
}

const shortGrace = time.Nanosecond

func install(t testing.TB, adjust ...func(*jetstream.Client)) *installation {
	t.Helper()
	s := natstest.Start(t, nil)
	c := dial(t, s, adjust...)
	jstest.Must(t, buckets.Ensure(t.Context(), c))
	i := &installation{t: t, server: s, client: c, owner: New(c, "tests", shortGrace), broker: brokerOf("orders", 16<<20)}
	i.putBroker()
	return i
}

func brokerOf(name string, maxBytes int64) route.Address {
	return route.Address{
		Key: route.Key{Kind: route.KindBroker, Namespace: "shop", Name: name}, UID: "uid-" + name, Log: route.Log{MaxBytes: maxBytes},
	}
}

func (i *installation) putBroker() {
	i.t.Helper()
	_, err := i.owner.PutAddress(jstest.Context(i.t), i.broker)
	jstest.Must(i.t, err)
}

// trigger is a Trigger of the installation's Broker for these event types; none means all.
func (i *installation) trigger(name string, types ...string) route.Target {
	target := route.Target{
		Key:        route.TargetKey{Address: i.broker.Key, Namespace: "shop", Name: name},
		UID:        "uid-" + name,
		Subscriber: &route.Destination{URL: "http://subscriber.example/" + name},
		Delivery:   delivery.Policy{Retry: 3},
	}
	if len(types) > 0 {
		var any []filter.Expression
		for _, eventType := range types {
			any = append(any, filter.Expression{Exact: map[string]string{event.Type: eventType}})
		}
		target.Filter = filter.Spec{Filters: []filter.Expression{{Any: any}}}
	}
	target.Consumer = i.client.Names().SharedConsumer()
	return target
}

// alone is a Trigger with a consumer of its own, since it begins with what is there.
func (i *installation) alone(name string, types ...string) route.Target {
	target := i.trigger(name, types...)
	target.Start.Policy = route.StartAll
	target.Consumer = i.client.Names().Consumer(target.Key)
	return target
}

// put makes the Trigger and returns it with its cursor.
func (i *installation) put(target route.Target) route.Target {
	i.t.Helper()
	_, err := i.owner.PutTarget(jstest.Context(i.t), target)
	jstest.Must(i.t, err)
	return i.recorded(target.Key)
}

// recorded returns the target as its record has it.
func (i *installation) recorded(key route.TargetKey) route.Target {
	i.t.Helper()
	r, found, err := Record(jstest.Context(i.t), i.client, naming.TargetKey(key))
	jstest.Must(i.t, err)
	if !found {
		i.t.Fatalf("there is no record of %s", key)
	}
	return *r.Target
}

// Send stores events with ids from..to-1, whose types alternate, and returns how many the log has taken.
func (i *installation) publish(from, to int, types ...string) {
	i.t.Helper()
	p := publisherOf(i.t, i.client)
	for id := from; id < to; id += 100 {
		var batch []ingress.Message
		for n := id; n < min(to, id+100); n++ {
			batch = append(batch, jstest.Message(strconv.Itoa(n), types[n%len(types)]))
		}
		if stored, err := p.Publish(jstest.Context(i.t), i.broker, batch); err != nil || stored != len(batch) {
			i.t.Fatalf("stored %d of %d: %v", stored, len(batch), err)
		}
	}
}

// takeAll takes and acknowledges messages until every id from..to-1 came, and returns the ids in their order.
func takeAll(t testing.TB, source dispatch.Source, from, to int) []string {
	t.Helper()
	missing := map[string]bool{}
	for id := from; id < to; id++ {
		missing[strconv.Itoa(id)] = true
	}
	var ids []string
	for len(missing) > 0 {
		m := next(t, source)
		id := m.Event.Attr(event.ID)
		if got, want := string(m.Event.Data), "body of "+id; got != want {
			t.Fatalf("event %s has the body %q, want %q", id, got, want)
		}
		jstest.Must(t, m.Ack())
		ids = append(ids, id)
		delete(missing, id)
	}
	return ids
}

// consumerInfo reads what the server says of the target's cursor.
func (i *installation) consumerInfo(target route.Target) *natsjs.ConsumerInfo {
	i.t.Helper()
	consumer, err := i.client.JetStream().Consumer(jstest.Context(i.t), i.client.Names().Log(i.broker.Key), target.Consumer)
	jstest.Must(i.t, err)
	return consumer.CachedInfo()
}

func (i *installation) floorOf(target route.Target) uint64 {
	i.t.Helper()
	return i.consumerInfo(target).AckFloor.Stream
}

func (i *installation) consumer(target route.Target) string {
	i.t.Helper()
	info := i.consumerInfo(target)
	return fmt.Sprintf("pending %d, unacknowledged %d, redelivered %d", info.NumPending, info.NumAckPending, info.NumRedelivered)
}

// consumerIsDone waits until the target has got and acknowledged everything.
func (i *installation) consumerIsDone(target route.Target) {
	i.t.Helper()
	const done = "pending 0, unacknowledged 0, redelivered 0"
	jstest.Await(i.t, target.Key.Name+" has acknowledged everything", func() bool { return i.consumer(target) == done })
}

func (i *installation) removeConsumer(target route.Target) {
	i.t.Helper()
	jstest.Must(i.t, i.client.JetStream().DeleteConsumer(jstest.Context(i.t), i.client.Names().Log(i.broker.Key), target.Consumer))
}

// consumersLeft is how many consumers the Broker's log has.
func (i *installation) consumersLeft() int {
	i.t.Helper()
	stream, err := i.client.JetStream().Stream(jstest.Context(i.t), i.client.Names().Log(i.broker.Key))
	jstest.Must(i.t, err)
	return stream.CachedInfo().State.Consumers
}

func (i *installation) sweep() {
	i.t.Helper()
	jstest.Must(i.t, i.owner.Sweep(jstest.Context(i.t)))
}

func senderOf(t testing.TB, c *jetstream.Client) *publish.Sender {
	t.Helper()
	s, err := publish.NewSender(c)
	jstest.Must(t, err)
	return s
}

func publisherOf(t testing.TB, c *jetstream.Client) *publish.Publisher {
	t.Helper()
	return publish.New(c, senderOf(t, c))
}

func storeOf(t testing.TB, c *jetstream.Client, addresses park.Addresses) *park.Store {
	t.Helper()
	return park.New(c, senderOf(t, c), addresses)
}
