package owner

import (
	"strconv"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nuid"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/ingress"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/buckets"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/consume"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/internal/jstest"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/naming"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/route"
	"github.com/eventing-jetstream/eventing-jetstream/test/natstest"
)

// large is an event of so many bytes.
func large(id string, bytes int) ingress.Message {
	m := jstest.Message(id, "a")
	m.Event.Data = make([]byte, bytes)
	return m
}

func (i *installation) publishLarge(to route.Address, events, bytes int) {
	i.t.Helper()
	p := publisherOf(i.t, i.client)
	for range events {
		_, err := p.Publish(jstest.Context(i.t), to, []ingress.Message{large(nuid.Next(), bytes)})
		jstest.Must(i.t, err)
	}
}

// holds is how many bytes the process has asked for and holds.
func (p *process) holds() int64 {
	asked, held := p.Bytes()
	return asked + held
}

// Subscribers that take nothing must not fill the memory of the process: neither those of one Broker nor those of many.
func TestAProcessHoldsNoMoreThanItsBudget(t *testing.T) {
	t.Parallel()
	const budget, size, brokers = 8 << 20, 512 << 10, 3
	i := install(t)
	store := storeOf(t, i.client, jstest.Table(i.broker))
	p := startParking(t, consume.Config{Client: i.client, Park: store.Park, Budget: budget}).trustful()
	var targets []route.Target
	for n := range brokers {
		i.broker = brokerOf("broker-"+strconv.Itoa(n), 64<<20)
		i.putBroker()
		targets = append(targets, i.put(i.trigger("one")), i.put(i.trigger("two")))
		i.publishLarge(i.broker, 16, size)
	}
	p.knows(targets...)
	most := int64(0)
	deadline := time.After(3 * time.Second)
	jstest.Await(t, "it is full", func() bool { most = max(most, p.holds()); return most >= budget/2 })
	for full := true; full; {
		select {
		case <-deadline:
			full = false
		case <-time.After(time.Millisecond):
			most = max(most, p.holds())
		}
	}
	// Each consumer may have one message beyond the budget, so that none waits for another for ever.
	if limit := int64(budget + 2*brokers*(size+64<<10+int(i.client.MaxPayload()))); most > limit {
		t.Errorf("it held %d bytes, want at most %d", most, limit)
	}
	small := brokerOf("small", 1<<20)
	i.broker = small
	i.putBroker()
	quick := i.put(i.trigger("quick"))
	p.knows(append(targets, quick)...)
	i.publish(0, 100, "a")
	takeAll(t, p.Log(quick), 0, 100) // although the budget is used up
}

// A server cuts a connection off for which too much waits: what all sources ask for stays below that, also when the process that was quick
// to read is slow for a moment.
func TestManyBacklogsOfLargeEventsMakeNoSlowConsumer(t *testing.T) {
	t.Parallel()
	const brokers, events, size = 6, 12, 512 << 10
	i := install(t)
	proxy := natstest.Through(t, i.server)
	p := i.process(dialURL(t, proxy.URL(), naming.DefaultPrefix))
	var targets []route.Target
	for n := range brokers {
		i.broker = brokerOf("broker-"+strconv.Itoa(n), 64<<20)
		i.putBroker()
		targets = append(targets, i.put(i.trigger("one")))
	}
	p.knows(targets...)
	allDone := func(n uint64) {
		t.Helper()
		for _, target := range targets {
			i.broker.Key = target.Key.Address
			jstest.Await(t, "all is acknowledged", func() bool { return i.consumerInfo(target).AckFloor.Consumer >= n })
		}
	}
	publish := func() {
		for _, target := range targets {
			i.publishLarge(route.Address{Key: target.Key.Address}, events, size)
		}
	}
	for _, target := range targets {
		ackAll(t, p.Log(target))
	}
	publish()
	allDone(events)
	proxy.Cut()
	publish()
	i.floodStops(targets)
	proxy.Heal()
	allDone(2 * events)
	if n := i.server.NATS().NumSlowConsumers(); n > 0 {
		t.Errorf("the server has cut %d connections off", n)
	}
}

// floodStops waits until the server sends nothing more: everything that was asked for is on its way.
func (i *installation) floodStops(targets []route.Target) {
	sent := func() (n int) {
		for _, target := range targets {
			i.broker.Key = target.Key.Address
			n += i.consumerInfo(target).NumAckPending
		}
		return n
	}
	before := -1
	jstest.Await(i.t, "the server has sent what was asked for", func() bool {
		now := sent()
		same := now == before && now > 0
		before = now
		return same
	})
}

// A message of the greatest size comes, whatever is asked for at first; so does one that is larger than the server takes by now.
func TestAMessageLargerThanTheServerTakesNowIsRead(t *testing.T) {
	t.Parallel()
	most := int32(1 << 20)
	s := natstest.Start(t, func(o *server.Options) { o.MaxPayload = most })
	c := dial(t, s)
	jstest.Must(t, buckets.Ensure(t.Context(), c))
	i := &installation{t: t, server: s, client: c, owner: New(c, "tests", shortGrace), broker: brokerOf("orders", 16<<20)}
	i.putBroker()
	one := i.put(i.trigger("one"))
	i.publishLarge(i.broker, 2, 1<<20-8<<10)
	most = 64 << 10
	i.stop()
	i.restart()
	source := open(t, i.client, one, 10)
	for range 2 {
		m := next(t, source)
		if len(m.Event.Data) != 1<<20-8<<10 {
			t.Errorf("it has %d bytes", len(m.Event.Data))
		}
		jstest.Must(t, m.Ack())
	}
}
