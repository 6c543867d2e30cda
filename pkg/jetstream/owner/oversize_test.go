package owner

import (
	"errors"
	"reflect"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	natsjs "github.com/nats-io/nats.go/jetstream"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/dispatch"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/event"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/buckets"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/codec"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/internal/jstest"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/route"
	"github.com/eventing-jetstream/eventing-jetstream/test/natstest"
)

// limited is an installation whose server takes messages of so many bytes; what is stored in the limit later holds from the next start on.
func limited(t *testing.T, limit *atomic.Int32) *installation {
	t.Helper()
	s := natstest.Start(t, func(o *server.Options) { o.MaxPayload = limit.Load() })
	c := dial(t, s)
	jstest.Must(t, buckets.Ensure(t.Context(), c))
	i := &installation{t: t, server: s, client: c, owner: New(c, "tests", shortGrace), broker: brokerOf("orders", 16<<20)}
	i.putBroker()
	return i
}

// lastDeadLetter reads the target's last dead letter.
func (i *installation) lastDeadLetter(target route.Target) *natsjs.RawStreamMsg {
	i.t.Helper()
	stream, err := i.client.JetStream().Stream(jstest.Context(i.t), i.client.Names().DeadLetterStream(target.Key.Address))
	jstest.Must(i.t, err)
	m, err := stream.GetLastMsgForSubject(jstest.Context(i.t), i.client.Names().DeadLetterSubject(target.Key))
	jstest.Must(i.t, err)
	return m
}

// Every message comes to its end, however large it is, and whatever the server takes by then.
func TestAMessageThatFitsNowhereBecomesADeadLetter(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", 40_000)
	for _, c := range []struct {
		name        string
		m           nats.Msg
		limit       int32 // by the time that it has failed
		byReference bool
	}{
		{name: "data of the greatest size", m: nats.Msg{Data: make([]byte, 1<<20)}, limit: 1 << 20, byReference: true},
		{name: "the server takes less by now", m: nats.Msg{Data: make([]byte, 200_000)}, limit: 100_000, byReference: true},
		{name: "attributes of the greatest size", limit: 1 << 20, m: nats.Msg{Data: []byte("data"), Header: nats.Header{
			"ce-specversion": {"1.0"}, "ce-id": {"1"}, "ce-source": {"/s"}, "ce-type": {"t"}, "ce-a": {long}, "ce-b": {long[:25_250]},
		}}},
		{name: "attributes in JSON that are too large for headers", limit: 1 << 20,
			m: nats.Msg{Data: []byte(`{"specversion":"1.0","id":"1","source":"/s","type":"t","a":"` + long + `","b":"` + long + `","data":"data"}`)}},
		{name: "attributes and data of the greatest size", limit: 1 << 20, byReference: true, m: nats.Msg{Data: make([]byte, 1<<20-65_400), Header: nats.Header{
			"ce-specversion": {"1.0"}, "ce-id": {"1"}, "ce-source": {"/s"}, "ce-type": {"t"}, "ce-a": {long}, "ce-b": {long[:25_250]},
		}}},
		{name: "no event, of the greatest size", limit: 1 << 20, byReference: true, m: nats.Msg{Data: make([]byte, 1<<20-100), Header: nats.Header{"ce-id": {"1"}}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			var limit atomic.Int32
			limit.Store(1 << 20)
			i := limited(t, &limit)
			channel := channelOf("c", route.Log{Subjects: []string{"sensors.>"}})
			i.putChannel(channel)
			one := i.putSubscriber(subscriberOf(channel, "one"))
			c.m.Subject = "sensors.1"
			_, err := i.client.JetStream().PublishMsg(jstest.Context(t), &c.m)
			jstest.Must(t, err)
			if c.limit != limit.Load() {
				limit.Store(c.limit)
				i.stop()
				i.restart()
			}
			source := open(t, i.client, one, 10)
			defer source.Stop()
			m := next(t, source)
			store := storeOf(t, i.client, jstest.Table(channel))
			jstest.Must(t, store.DeadLetter(jstest.Context(t), one, failed(m.Work)))
			jstest.Must(t, store.DeadLetter(jstest.Context(t), one, failed(m.Work)))
			jstest.Must(t, m.Ack())
			if n := i.deadLetters(one); n != 1 {
				t.Errorf("%d dead letters, want 1", n)
			}
			i.checkDeadLetter(one, m.Work, c.byReference)
		})
	}
}

// checkDeadLetter compares the target's last dead letter with the work that has failed.
func (i *installation) checkDeadLetter(target route.Target, w dispatch.Work, byReference bool) {
	i.t.Helper()
	m := i.lastDeadLetter(target)
	want := map[string]string{
		codec.HeaderTarget: "shop/one", codec.HeaderSequence: "1", codec.HeaderCode: "400", codec.HeaderReason: "status 400", codec.HeaderStored: w.Stored.Format(time.RFC3339Nano),
		codec.HeaderStream: "", codec.HeaderDataBytes: "",
	}
	if byReference {
		want[codec.HeaderStream], want[codec.HeaderDataBytes] = i.client.Names().Log(target.Key.Address), strconv.Itoa(len(w.Event.Data))
		w.Event.Data = nil
	}
	for name, value := range want {
		if have := m.Header.Get(name); have != value {
			i.t.Errorf("header %s is %q, want %q", name, have, value)
		}
	}
	e, err := event.FromNATS(m.Header, m.Data)
	jstest.Must(i.t, err)
	if len(e.Attributes) != len(w.Event.Attributes) || string(e.Data) != string(w.Event.Data) {
		i.t.Errorf("%d attributes and %d bytes of data are kept, want %d and %d", len(e.Attributes), len(e.Data), len(w.Event.Attributes), len(w.Event.Data))
	}
	for _, a := range w.Event.Attributes {
		if have := e.Attr(a.Name); have != a.Value {
			i.t.Errorf("attribute %s has %d bytes, want %d", a.Name, len(have), len(a.Value))
		}
	}
}

// Not even the attributes fit: what is known of the failure is kept all the same.
func TestADeadLetterOfAttributesThatFitNowhere(t *testing.T) {
	t.Parallel()
	var limit atomic.Int32
	limit.Store(1 << 20)
	i := limited(t, &limit)
	all := i.put(i.trigger("one"))
	work := jstest.Work("1", 1)
	work.Event = work.Event.With("big", strings.Repeat("b", 60_000))
	limit.Store(32 << 10)
	i.stop()
	i.restart()
	store := storeOf(t, i.client, jstest.Table(i.broker))
	jstest.Must(t, store.DeadLetter(jstest.Context(t), all, work))
	m := i.lastDeadLetter(all)
	if m.Header.Get(codec.HeaderReason) != "status 503" || m.Header.Get(codec.HeaderStream) != i.client.Names().Log(i.broker.Key) || m.Header.Get("ce-id") != "" {
		t.Errorf("the dead letter is %v", m.Header)
	}
}

// The dead-letter stream may have a limit of its own, which only the server knows.
func TestADeadLetterThatItsStreamTakesForTooLarge(t *testing.T) {
	t.Parallel()
	i := install(t)
	all := i.put(i.trigger("one"))
	store := storeOf(t, i.client, jstest.Table(i.broker))
	jstest.Must(t, store.DeadLetter(jstest.Context(t), all, jstest.Work("1", 1)))
	stream, err := i.client.JetStream().Stream(jstest.Context(t), i.client.Names().DeadLetterStream(i.broker.Key))
	jstest.Must(t, err)
	config := stream.CachedInfo().Config
	config.MaxMsgSize = 2000
	_, err = i.client.JetStream().UpdateStream(jstest.Context(t), config)
	jstest.Must(t, err)
	work := jstest.Work("2", 2)
	work.Event.Data = make([]byte, 3000)
	jstest.Must(t, store.DeadLetter(jstest.Context(t), all, work))
	if m := i.lastDeadLetter(all); m.Header.Get(codec.HeaderDataBytes) != "3000" || m.Header.Get("ce-id") != "2" || len(m.Data) > 0 {
		t.Errorf("the dead letter is %v with %d bytes", m.Header, len(m.Data))
	}
}

// What does not fit cannot be parked, and the store says so; attributes that are too large to be headers can.
func TestParkingWhatIsLarge(t *testing.T) {
	t.Parallel()
	i := install(t)
	all := i.put(i.trigger("one"))
	store := storeOf(t, i.client, jstest.Table(i.broker))
	work := dispatch.Work{Event: jstest.Event("1", "a"), Sequence: 1, Attempt: 1}
	work.Event.Data = make([]byte, i.client.MaxPayload())
	if err := store.Park(jstest.Context(t), all, work, time.Now()); !errors.Is(err, dispatch.ErrTooLarge) {
		t.Errorf("error %v, want ErrTooLarge", err)
	}
	work = dispatch.Work{Event: jstest.Event("1", "a").With("big", strings.Repeat("b", 70_000)), Sequence: 1, Attempt: 1}
	work.Event.Headers = []event.Header{{Name: "Traceparent", Value: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"}}
	reply := jstest.Event("2", "b")
	work.Reply = &reply
	jstest.Must(t, store.Park(jstest.Context(t), all, work, time.Now()))
	source := directed(t, i.client, all)
	defer source.Stop()
	m := next(t, source)
	jstest.Must(t, m.Ack())
	if !reflect.DeepEqual(m.Event.Headers, work.Event.Headers) {
		t.Errorf("the headers that travel along are %v", m.Event.Headers)
	}
	jstest.SameWork(t, m.Work, work)
}
