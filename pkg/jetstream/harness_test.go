package jetstream

import (
	"context"
	"fmt"
	"log/slog"
	"strconv"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/delivery"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/dispatch"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/event"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/filter"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/ingress"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/naming"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/route"
	"github.com/eventing-jetstream/eventing-jetstream/test/natstest"
)

// patience is how long a test waits for something that is to happen; a passing test waits for a fraction of it.
const patience = 20 * time.Second

func one() uint64 { return 1 }

// brisk are time budgets for tests that wait for one to run out.
func brisk(c *Client) {
	c.timing = timing{
		now: time.Now, firstSequence: one,
		ackWait: time.Second, renewEvery: 300 * time.Millisecond,
		trimEvery: time.Second, checkEvery: 100 * time.Millisecond, heartbeat: 500 * time.Millisecond, reportTTL: time.Second,
		routeMarkerTTL: time.Second, strayPatience: strayPatience,
	}
}

// dial connects one more process to the server. It is killed when the test ends.
func dial(t testing.TB, s *natstest.Server, adjust ...func(*Client)) *Client {
	t.Helper()
	return dialAs(t, s, naming.DefaultPrefix, adjust...)
}

func dialAs(t testing.TB, s *natstest.Server, prefix string, adjust ...func(*Client)) *Client {
	t.Helper()
	return dialURL(t, s.URL(), prefix, adjust...)
}

func dialURL(t testing.TB, url, prefix string, adjust ...func(*Client)) *Client {
	t.Helper()
	names, err := naming.New(prefix)
	must(t, err)
	return connect(t, Options{URL: url, Names: names}, adjust...)
}

func connect(t testing.TB, o Options, adjust ...func(*Client)) *Client {
	t.Helper()
	o.Logger = slog.New(slog.DiscardHandler)
	c, err := Connect(o)
	must(t, err)
	c.timing.firstSequence = one // most tests name events by their place
	for _, f := range adjust {
		f(c)
	}
	t.Cleanup(func() { kill(c) })
	if err := c.Wait(budgetOf(t)); err != nil {
		t.Fatal(err)
	}
	return c
}

// kill ends a process as SIGKILL would: nothing is given back, nothing is sent any more.
func kill(c *Client) {
	c.events.Close()
	c.conn.Close()
	c.background.Wait()
}

// stop stops the server and waits until the client's connections have noticed.
func (i *installation) stop() {
	i.t.Helper()
	i.server.Stop()
	await(i.t, "the outage is noticed", func() bool { return !i.client.conn.IsConnected() && !i.client.events.IsConnected() })
}

// restart starts the server again and waits until the client is back.
func (i *installation) restart() {
	i.t.Helper()
	i.server.Restart()
	await(i.t, "the client is back", i.client.Connected)
}

func budgetOf(t testing.TB) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)
	return ctx
}

// await returns when the condition holds.
func await(t testing.TB, what string, condition func() bool) {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	end := time.NewTimer(patience)
	defer end.Stop()
	for !condition() {
		select {
		case <-tick.C:
		case <-end.C:
			t.Fatalf("waited %s in vain: %s", patience, what)
		}
	}
}

// must fails the test on an error.
func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// installation is a server with one owner, whose Broker is ready for events.
type installation struct {
	t      testing.TB
	server *natstest.Server
	client *Client
	owner  *Owner
	broker route.Address
}

const shortGrace = time.Nanosecond

func install(t testing.TB, adjust ...func(*Client)) *installation {
	t.Helper()
	s := natstest.Start(t, nil)
	c := dial(t, s, adjust...)
	must(t, c.EnsureBuckets(t.Context()))
	i := &installation{t: t, server: s, client: c, owner: c.NewOwner("tests", shortGrace), broker: brokerOf("orders", 16<<20)}
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
	_, err := i.owner.PutAddress(budgetOf(i.t), i.broker)
	must(i.t, err)
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
	target.Consumer = i.client.names.SharedConsumer()
	return target
}

// alone is a Trigger with a consumer of its own, since it begins with what is there.
func (i *installation) alone(name string, types ...string) route.Target {
	target := i.trigger(name, types...)
	target.Start.Policy = route.StartAll
	target.Consumer = i.client.names.Consumer(target.Key)
	return target
}

// put makes the Trigger and returns it with its cursor.
func (i *installation) put(target route.Target) route.Target {
	i.t.Helper()
	_, err := i.owner.PutTarget(budgetOf(i.t), target)
	must(i.t, err)
	return i.recorded(target.Key)
}

// recorded returns the target as its record has it.
func (i *installation) recorded(key route.TargetKey) route.Target {
	i.t.Helper()
	r, found, err := i.client.record(budgetOf(i.t), naming.TargetKey(key))
	must(i.t, err)
	if !found {
		i.t.Fatalf("there is no record of %s", key)
	}
	return *r.Target
}

// publish stores events with ids from..to-1, whose types alternate, and returns how many the log has taken.
func (i *installation) publish(from, to int, types ...string) {
	i.t.Helper()
	p := i.client.NewPublisher()
	for id := from; id < to; id += 100 {
		var batch []ingress.Message
		for n := id; n < min(to, id+100); n++ {
			batch = append(batch, message(strconv.Itoa(n), types[n%len(types)]))
		}
		if stored, err := p.Publish(budgetOf(i.t), i.broker, batch); err != nil || stored != len(batch) {
			i.t.Fatalf("stored %d of %d: %v", stored, len(batch), err)
		}
	}
}

func message(id, eventType string) ingress.Message {
	return ingress.Message{ID: "msg-" + id, Event: eventOf(id, eventType)}
}

func eventOf(id, eventType string) event.Event {
	return event.Event{
		Attributes: []event.Attribute{
			{Name: event.SpecVersion, Value: "1.0"}, {Name: event.ID, Value: id},
			{Name: event.Source, Value: "/tests"}, {Name: event.Type, Value: eventType},
		},
		Data: []byte("body of " + id),
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
		must(t, m.Ack())
		ids = append(ids, id)
		delete(missing, id)
	}
	return ids
}

func idsOf(from, to int) []string {
	var ids []string
	for id := from; id < to; id++ {
		ids = append(ids, strconv.Itoa(id))
	}
	return ids
}

// consumerInfo reads what the server says of the target's cursor.
func (i *installation) consumerInfo(target route.Target) *jetstream.ConsumerInfo {
	i.t.Helper()
	consumer, err := i.client.js.Consumer(budgetOf(i.t), i.client.names.Log(i.broker.Key), target.Consumer)
	must(i.t, err)
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
	await(i.t, target.Key.Name+" has acknowledged everything", func() bool { return i.consumer(target) == done })
}

func (i *installation) removeConsumer(target route.Target) {
	i.t.Helper()
	must(i.t, i.client.js.DeleteConsumer(budgetOf(i.t), i.client.names.Log(i.broker.Key), target.Consumer))
}

// consumersLeft is how many consumers the Broker's log has.
func (i *installation) consumersLeft() int {
	i.t.Helper()
	stream, err := i.client.js.Stream(budgetOf(i.t), i.client.names.Log(i.broker.Key))
	must(i.t, err)
	return stream.CachedInfo().State.Consumers
}

func (i *installation) sweep() {
	i.t.Helper()
	must(i.t, i.owner.Sweep(budgetOf(i.t)))
}

func tableOf(addresses ...route.Address) *route.Table {
	table := route.NewTable()
	for n, a := range addresses {
		table.Apply(a.Key.String(), uint64(n+1), route.Record{Address: &a})
	}
	return table
}
