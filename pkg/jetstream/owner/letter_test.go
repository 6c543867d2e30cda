package owner

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/dispatch"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/event"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/ingress"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/codec"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/internal/jstest"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/publish"
)

func TestDeadLetter(t *testing.T) {
	t.Parallel()
	i := install(t)
	all := i.put(i.trigger("all"))
	store := storeOf(t, i.client, jstest.Table(i.broker))
	begin := time.Now()
	for range 3 {
		jstest.Must(t, store.DeadLetter(jstest.Context(t), all, jstest.Work("1", 1)))
	}
	if took := time.Since(begin); took > jetstream.PublishBudget/2 {
		t.Errorf("the stream was made after %s", took)
	}
	jstest.Must(t, store.DeadLetter(jstest.Context(t), all, jstest.Work("2", 2)))

	stream, err := i.client.JetStream().Stream(jstest.Context(t), i.client.Names().DeadLetterStream(i.broker.Key))
	jstest.Must(t, err)
	if n := stream.CachedInfo().State.Msgs; n != 2 {
		t.Errorf("%d dead letters are kept, want each once", n)
	}
	m, err := stream.GetLastMsgForSubject(jstest.Context(t), i.client.Names().DeadLetterSubject(all.Key))
	jstest.Must(t, err)
	for name, want := range map[string]string{
		codec.HeaderTarget: "shop/all", codec.HeaderSequence: "2", codec.HeaderDestination: "http://subscriber.example/", codec.HeaderCode: "503",
		codec.HeaderReason: "status 503", codec.HeaderBody: "YnVzeQ0KAA==", codec.HeaderAttempts: "4", codec.HeaderSinkTries: "1",
	} {
		if have := m.Header.Get(name); have != want {
			t.Errorf("header %s is %q, want %q", name, have, want)
		}
	}
	e, err := event.FromNATS(m.Header, m.Data)
	jstest.Must(t, err)
	jstest.SameWork(t, dispatch.Work{Event: e}, dispatch.Work{Event: jstest.Event("2", "a")})
}

func TestAFullDeadLetterStreamRefuses(t *testing.T) {
	t.Parallel()
	i := install(t)
	i.broker = brokerOf("small", 16<<10)
	i.putBroker()
	all := i.put(i.trigger("all"))
	store := storeOf(t, i.client, jstest.Table(i.broker))
	work := jstest.Work("1", 1)
	work.Event.Data = make([]byte, 10<<10)
	jstest.Must(t, store.DeadLetter(jstest.Context(t), all, work))
	work.Sequence = 2
	err := store.DeadLetter(jstest.Context(t), all, work)
	if !errors.Is(err, dispatch.ErrLettersFull) || !errors.Is(err, publish.ErrNotStored) || !jetstream.IsLogFull(err) {
		t.Errorf("error %v, want ErrLettersFull, as it is not stored", err)
	}
}

func TestTheLargestEventCanBeParkedAndBecomeADeadLetter(t *testing.T) {
	t.Parallel()
	i := install(t)
	label := strings.Repeat("a", 63)
	longest := strings.Join([]string{label, label, label, label[:61]}, ".")
	i.broker = brokerOf(longest, 16<<20)
	i.broker.Key.Namespace = label
	i.putBroker()
	all := i.trigger(longest)
	all.Key.Namespace = label
	all = i.put(all)
	store := storeOf(t, i.client, jstest.Table(i.broker))
	long := strings.Repeat("x", 5000)
	largest := ingress.Message{ID: strings.Repeat("i", 32), Event: jstest.Event("1", "a").With("big", strings.Repeat("b", 61_000))}
	for largest.Event.Data = []byte{}; ; {
		more := largest
		more.Event.Data = make([]byte, len(largest.Event.Data)+500)
		if _, err := senderOf(t, i.client).EventMessage(publish.ExpectLog(i.client, i.broker), i.broker.Key, more); err != nil {
			break
		}
		largest = more
	}
	work := dispatch.Work{
		Event: largest.Event, Sequence: 1<<63 - 1, Stored: time.Unix(1<<33, 999_999_999).UTC(), Run: 1<<64 - 1, Attempt: 1 << 30, Unstored: 1 << 30,
		Failure: &dispatch.Failure{
			Destination: "http://" + long, Code: 503, Body: []byte(long), Reason: long, Attempts: 1 << 30, SinkAttempts: 1 << 30, Copied: true,
		},
	}
	jstest.Must(t, store.Park(jstest.Context(t), all, work, time.Now()))
	jstest.Must(t, store.DeadLetter(jstest.Context(t), all, work))
	if m := i.lastDeadLetter(all); m.Header.Get(codec.HeaderDataBytes) != "" || event.IsStructured(m.Header.Get("content-type")) {
		t.Errorf("the dead letter is not whole: %d attributes, %d bytes", len(m.Header), len(m.Data))
	}
	source := directed(t, i.client, all)
	defer source.Stop()
	jstest.Must(t, next(t, source).Ack())
}
