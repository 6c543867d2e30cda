package owner

import (
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	natsjs "github.com/nats-io/nats.go/jetstream"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/dispatch"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/buckets"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/internal/jstest"
	"github.com/eventing-jetstream/eventing-jetstream/test/natstest"
)

// The server has no storage left at the moment when a schedule is to fire, and forgets it: this is nats-server 2.15.
func TestAnEventParkedBeyondItsTimeIsWoken(t *testing.T) {
	t.Parallel()
	s := natstest.Start(t, func(o *server.Options) { o.JetStreamMaxStore = 3 << 20 })
	c := dial(t, s, func(c *jetstream.Client) { c.Timing().Overdue = time.Second })
	jstest.Must(t, buckets.Ensure(t.Context(), c))
	i := &installation{t: t, server: s, client: c, owner: New(c, "tests", shortGrace), broker: brokerOf("orders", 64<<10)}
	i.putBroker()
	all := i.put(i.trigger("all"))
	store := storeOf(t, c, jstest.Table(i.broker))
	source := directed(t, c, all)
	defer source.Stop()

	due := time.Now().Add(4 * time.Second) // for the server to be full before
	jstest.Must(t, store.Park(jstest.Context(t), all, dispatch.Work{Event: jstest.Event("1", "a"), Sequence: 1, Attempt: 1}, due))
	filler, err := c.JetStream().CreateStream(jstest.Context(t), natsjs.StreamConfig{Name: "filler", Subjects: []string{"filler"}})
	jstest.Must(t, err)
	for err == nil {
		_, err = c.JetStream().Publish(jstest.Context(t), "filler", make([]byte, 32<<10))
	}
	if !jetstream.IsStorageExhausted(err) || time.Now().After(due) {
		t.Fatalf("the server is not full in time: %v", err)
	}
	jstest.Await(t, "the event is overdue", func() bool { return time.Since(due) > 2*time.Second })
	jstest.Must(t, filler.Purge(jstest.Context(t)))
	if m, ok := poll(source, time.Second); ok {
		t.Fatalf("the event %+v came by itself: the server needs no help, and rescue.go can go", m.Work)
	}

	jstest.Must(t, i.owner.Sweep(jstest.Context(t)))
	m := next(t, source)
	jstest.SameWork(t, m.Work, dispatch.Work{Event: jstest.Event("1", "a"), Sequence: 1, Attempt: 1})
	jstest.Must(t, m.Ack())
	jstest.Must(t, i.owner.Sweep(jstest.Context(t)))
	stream, err := c.JetStream().Stream(jstest.Context(t), c.Names().DirectedStream(i.broker.Key))
	jstest.Must(t, err)
	jstest.Await(t, "nothing is left", func() bool {
		info, err := stream.Info(jstest.Context(t))
		return err == nil && info.State.Msgs == 0
	})
}

// However much is parked, in however many streams, a sweep looks at a bounded part and the next one at the rest.
func TestALookForOverdueEventsIsBounded(t *testing.T) {
	t.Parallel()
	i := install(t)
	all := i.put(i.trigger("all"))
	store := storeOf(t, i.client, jstest.Table(i.broker))
	const parked = 12
	for n := range uint64(parked) {
		jstest.Must(t, store.Park(jstest.Context(t), all, dispatch.Work{Event: jstest.Event("1", "a"), Sequence: n + 1, Attempt: 1}, time.Now().Add(time.Hour)))
	}
	looked := uint64(0)
	for range 3 {
		left := 5
		jstest.Must(t, i.owner.rescueOverdue(jstest.Context(t), i.broker.Key, &left))
		next := i.owner.rescued[i.broker.Key]
		if next != 0 && next != looked+6 && next != looked+5 {
			t.Errorf("the look goes on at %d, the last one at %d", next, looked)
		}
		looked = next
	}
	if looked != 0 {
		t.Errorf("three looks at 5 each end at %d, want the end of %d", looked, parked)
	}
	none := 0
	jstest.Must(t, i.owner.rescueOverdue(jstest.Context(t), i.broker.Key, &none))
}
