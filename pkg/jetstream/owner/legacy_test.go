package owner

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	natsjs "github.com/nats-io/nats.go/jetstream"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/event"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/internal/jstest"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/migrate"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/park"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/route"
)

// old is a stream of eventing-natss as its code makes it, by hand: its controllers do not run here.
type old struct {
	*installation
	natsjs.Stream
	successor *park.Store
}

const oldSubject = "shop.orders._knative_broker.events"

func (i *installation) oldStream() old {
	i.t.Helper()
	stream, err := i.client.JetStream().CreateStream(jstest.Context(i.t), natsjs.StreamConfig{
		Name: "KN_BROKER_SHOP__ORDERS", Subjects: []string{"shop.orders._knative_broker.>"},
	})
	jstest.Must(i.t, err)
	table := route.NewTable()
	table.Apply("", 1, route.Record{Address: &i.broker})
	store := storeOf(i.t, i.client, table)
	return old{i, stream, store}
}

// consumer is the one of a Trigger of this UID.
func (o old) consumer(uid string) natsjs.Consumer {
	o.t.Helper()
	c, err := o.CreateConsumer(jstest.Context(o.t), natsjs.ConsumerConfig{
		Durable: "KN_TRIGGER_" + strings.ToUpper(strings.ReplaceAll(uid, "-", "")), AckPolicy: natsjs.AckExplicitPolicy,
	})
	jstest.Must(o.t, err)
	return c
}

// store publishes as the old ingress does: structured, without a header that says so.
func (o old) publishOld(from, to int) {
	o.t.Helper()
	for n := from; n < to; n++ {
		body := fmt.Sprintf(`{"specversion":"1.0","id":"%d","source":"/old","type":"%s","datacontenttype":"application/json","data":{"n":%d}}`,
			n, []string{"a", "b"}[n%2], n)
		o.raw(body)
	}
}

func (o old) raw(body string) {
	o.t.Helper()
	_, err := o.client.JetStream().PublishMsg(jstest.Context(o.t), &nats.Msg{Subject: oldSubject, Data: []byte(body)})
	jstest.Must(o.t, err)
}

// acknowledge takes and acknowledges some messages, as the old filter does.
func (o old) acknowledge(c natsjs.Consumer, count int) {
	o.t.Helper()
	batch, err := c.Fetch(count, natsjs.FetchMaxWait(5*time.Second))
	jstest.Must(o.t, err)
	for m := range batch.Messages() {
		jstest.Must(o.t, m.DoubleAck(jstest.Context(o.t)))
	}
}

// of returns what is known of the consumer of a target.
func (o old) of(target route.Target) migrate.Consumer {
	o.t.Helper()
	found, err := migrate.Find(jstest.Context(o.t), o.client)
	jstest.Must(o.t, err)
	at := slices.IndexFunc(found, func(l migrate.Consumer) bool { return l.Target != nil && l.Target.Key == target.Key })
	if at < 0 {
		o.t.Fatalf("no consumer is of %s: %+v", target.Key, found)
	}
	return found[at]
}

// withUID is a Trigger of this name and UID, of these types.
func (o old) withUID(name, uid string, types ...string) route.Target {
	t := o.trigger(name, types...)
	t.UID = uid
	return o.put(t)
}

// gets takes so many directed events of the target and returns their ids.
func (o old) gets(target route.Target, count int) (ids []string) {
	o.t.Helper()
	source := directed(o.t, o.client, target)
	defer source.Stop()
	for range count {
		m := next(o.t, source)
		ids = append(ids, m.Event.Attr(event.ID))
		jstest.Must(o.t, m.Ack())
	}
	slices.Sort(ids)
	return ids
}

func (o old) moves(l migrate.Consumer) migrate.Moved {
	o.t.Helper()
	moved, err := migrate.Move(jstest.Context(o.t), o.client, o.successor, l)
	jstest.Must(o.t, err)
	return moved
}

func TestEachSuccessorGetsWhatItsConsumerLacks(t *testing.T) {
	t.Parallel()
	o := install(t).oldStream()
	ahead, behind := o.withUID("ahead", "11111111-aaaa-4444-8888-000000000001"), o.withUID("behind", "22222222-aaaa-4444-8888-000000000002", "a")
	consumer := o.consumer(ahead.UID)
	o.consumer(behind.UID)
	o.publishOld(0, 8)
	o.raw(`{"specversion":"1.0","id":"bytes","source":"/old","type":"a","datacontenttype":"application/octet-stream","data_base64":"AAEC"}`)
	o.raw(`{"specversion":"1.0","id":"no type","source":"/old"}`)
	o.acknowledge(consumer, 6)

	if l := o.of(ahead); l.Waiting != 4 || l.Busy {
		t.Errorf("%+v", l)
	}
	if got := o.moves(o.of(ahead)); got.Sent != 3 || got.Filtered != 0 || !slices.Equal(got.Unreadable, []uint64{10}) {
		t.Errorf("moved %+v", got)
	}
	if got := o.moves(o.of(behind)); got.Sent != 5 || got.Filtered != 4 || len(got.Unreadable) != 1 {
		t.Errorf("moved %+v", got)
	}
	if got := o.gets(ahead, 3); !slices.Equal(got, []string{"6", "7", "bytes"}) {
		t.Errorf("the one ahead gets %v", got)
	}
	if got := o.gets(behind, 5); !slices.Equal(got, []string{"0", "2", "4", "6", "bytes"}) {
		t.Errorf("the one behind gets %v", got)
	}
	info, err := o.Info(jstest.Context(t))
	jstest.Must(t, err)
	if info.State.Msgs != 10 || o.of(ahead).Waiting != 4 {
		t.Errorf("the old stream has %d messages, its consumer waits for %d", info.State.Msgs, o.of(ahead).Waiting)
	}
}

func TestAMoveIsRepeatedWithoutRepeatingAnything(t *testing.T) {
	t.Parallel()
	o := install(t).oldStream()
	target := o.withUID("orders", "11111111-aaaa-4444-8888-000000000001")
	o.consumer(target.UID)
	o.publishOld(0, 5)
	o.moves(o.of(target))
	o.publishOld(5, 7) // an old ingress that had not ended yet
	if got := o.moves(o.of(target)); got.Sent != 2 {
		t.Errorf("the second time %+v are moved", got)
	}
	// Whoever was killed between sending and remembering sends again.
	jstest.Must(t, o.DeleteConsumer(jstest.Context(t), migrate.ReaderPrefix+o.of(target).Consumer))
	if got := o.moves(o.of(target)); got.Sent != 7 {
		t.Errorf("the third time %+v are moved", got)
	}
	if got := o.gets(target, 7); !slices.Equal(got, []string{"0", "1", "2", "3", "4", "5", "6"}) {
		t.Errorf("it gets %v", got)
	}
	jstest.Await(t, "nothing is there twice", func() bool { return o.parkedMessages() == 0 })
}

func TestAConsumerWithoutSuccessorIsShownAndNotMoved(t *testing.T) {
	t.Parallel()
	o := install(t).oldStream()
	o.consumer("33333333-aaaa-4444-8888-000000000003")
	o.publishOld(0, 3)
	found, err := migrate.Find(jstest.Context(t), o.client)
	jstest.Must(t, err)
	if len(found) != 1 || found[0].Target != nil || found[0].Waiting != 3 {
		t.Fatalf("%+v", found)
	}
	if moved, err := migrate.Move(jstest.Context(t), o.client, o.successor, found[0]); err == nil {
		t.Errorf("moved %+v", moved)
	}
}

func TestAConsumerThatIsInUseIsBusy(t *testing.T) {
	t.Parallel()
	o := install(t).oldStream()
	target := o.withUID("orders", "11111111-aaaa-4444-8888-000000000001")
	messages, err := o.consumer(target.UID).Messages()
	jstest.Must(t, err)
	go func() {
		if _, err := messages.Next(); !errors.Is(err, natsjs.ErrMsgIteratorClosed) {
			t.Error(err)
		}
	}()
	jstest.Await(t, "it is seen to be in use", func() bool { return o.of(target).Busy })
	messages.Stop()
}
