package owner

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	natsjs "github.com/nats-io/nats.go/jetstream"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/dispatch"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/event"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/ingress"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/buckets"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/internal/jstest"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/publish"
	"github.com/eventing-jetstream/eventing-jetstream/test/natstest"
)

// storedIDs reads the ids of all events in the log, with how often each is there.
func (i *installation) storedIDs() map[string]int {
	i.t.Helper()
	ids := map[string]int{}
	stream, err := i.client.JetStream().Stream(jstest.Context(i.t), i.client.Names().Log(i.broker.Key))
	jstest.Must(i.t, err)
	state := stream.CachedInfo().State
	for seq := state.FirstSeq; seq <= state.LastSeq && state.Msgs > 0; seq++ {
		m, err := stream.GetMsg(jstest.Context(i.t), seq)
		jstest.Must(i.t, err)
		e, err := event.FromNATS(m.Header, m.Data)
		jstest.Must(i.t, err)
		ids[e.Attr(event.ID)]++
	}
	return ids
}

func TestPublishStoresAnIDOnce(t *testing.T) {
	t.Parallel()
	i := install(t)
	i.publish(0, 5, "a")
	i.publish(0, 5, "a") // as a sender does that got no answer
	if ids := i.storedIDs(); len(ids) != 5 || ids["0"] != 1 {
		t.Errorf("stored %v, want each of 5 once", ids)
	}
}

// Senders go on while the server is stopped and started; each of their events is accepted in the end, and stored once.
func TestAnOutageWithinTheDeadlineIsBridged(t *testing.T) {
	t.Parallel()
	i := install(t)
	p := publisherOf(t, i.client)
	var senders sync.WaitGroup
	var accepted sync.Map
	half := make(chan struct{}, 400)
	for sender := range 4 {
		senders.Go(func() {
			for n := range 100 {
				id := fmt.Sprintf("%d-%d", sender, n)
				if _, err := p.Publish(jstest.Context(t), i.broker, []ingress.Message{jstest.Message(id, "a")}); err != nil {
					t.Errorf("event %s: %v", id, err)
				}
				accepted.Store(id, true)
				half <- struct{}{}
			}
		})
	}
	for range 200 {
		<-half
	}
	i.stop()
	i.server.Restart()
	senders.Wait()

	ids := i.storedIDs()
	accepted.Range(func(id, _ any) bool {
		if ids[id.(string)] != 1 {
			t.Errorf("event %s was accepted and is stored %d times", id, ids[id.(string)])
		}
		return true
	})
	if len(ids) != 400 {
		t.Errorf("%d events are stored, want 400", len(ids))
	}
}

func TestAnOutageBeyondTheDeadlineIsUnavailableAndNothingIsSentLater(t *testing.T) {
	t.Parallel()
	i := install(t)
	p := publisherOf(t, i.client)
	i.publish(0, 1, "a")
	i.server.Stop()
	const deadline = 600 * time.Millisecond
	ctx, cancel := context.WithTimeout(t.Context(), deadline)
	defer cancel()
	begin := time.Now()
	stored, err := p.Publish(ctx, i.broker, []ingress.Message{jstest.Message("late", "a"), jstest.Message("later", "a")})
	if took := time.Since(begin); stored != 0 || !errors.Is(err, ingress.ErrUnavailable) || took > 2*deadline {
		t.Errorf("stored %d, error %v after %s; want 0, ErrUnavailable at %s", stored, err, took, deadline)
	}

	i.restart()
	i.publish(1, 2, "a") // whatever was kept would have been sent before this one
	if ids := i.storedIDs(); len(ids) != 2 || ids["late"]+ids["later"] != 0 {
		t.Errorf("the log holds %v, want 0 and 1 alone", ids)
	}
}

// While the log is missing nobody answers a publish: that too ends with the deadline, and nothing follows.
func TestWithoutItsLogAnEventIsUnavailableAndNotSentLater(t *testing.T) {
	t.Parallel()
	i := install(t)
	p := publisherOf(t, i.client)
	jstest.Must(t, i.client.JetStream().DeleteStream(jstest.Context(t), i.client.Names().Log(i.broker.Key)))
	before := i.client.EventsConn().Stats().OutMsgs
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	if _, err := p.Publish(ctx, i.broker, []ingress.Message{jstest.Message("0", "a")}); !errors.Is(err, ingress.ErrUnavailable) {
		t.Errorf("error %v, want ErrUnavailable", err)
	}
	within := i.client.EventsConn().Stats().OutMsgs
	<-time.After(700 * time.Millisecond) // nats.go's own retries would come within 500 ms
	if later := i.client.EventsConn().Stats().OutMsgs; within-before < 2 || later != within {
		t.Errorf("sent %d times within the deadline and %d times after it; want some and none", within-before, later-within)
	}
}

func TestWhatTheLogRefuses(t *testing.T) {
	t.Parallel()
	i := install(t)
	p := publisherOf(t, i.client)
	attribute := func(size int) ingress.Message {
		m := jstest.Message("0", "a")
		m.Event = m.Event.With("big", strings.Repeat("x", size))
		return m
	}
	body := func(size int) ingress.Message {
		m := jstest.Message("1", "a")
		m.Event.Data = make([]byte, size)
		return m
	}
	payload := int(i.client.MaxPayload())
	for _, c := range []struct {
		name     string
		messages []ingress.Message
		want     error
		stored   int
	}{
		{"attributes as large as may be", []ingress.Message{attribute(60_000)}, nil, 1},
		{"attributes of 65,535 bytes", []ingress.Message{attribute(65_535)}, ingress.ErrAttributesTooLarge, 0},
		{"attributes larger than max_payload", []ingress.Message{attribute(payload)}, ingress.ErrAttributesTooLarge, 0},
		{"an event as large as may be", []ingress.Message{body(payload - 2*4096)}, nil, 1},
		{"an event of max_payload", []ingress.Message{body(payload)}, ingress.ErrEventTooLarge, 0},
		{"one of a batch too large", []ingress.Message{jstest.Message("2", "a"), body(payload)}, ingress.ErrEventTooLarge, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			stored, err := p.Publish(jstest.Context(t), i.broker, c.messages)
			if !errors.Is(err, c.want) || stored != c.stored {
				t.Errorf("stored %d, error %v; want %d, %v", stored, err, c.stored, c.want)
			}
		})
	}
}

func TestAFullLogNamesWhoHoldsIt(t *testing.T) {
	t.Parallel()
	i := install(t)
	i.broker = brokerOf("small", 64<<10)
	i.putBroker()
	slow, fast := i.put(i.trigger("slow", "a")), i.put(i.trigger("fast"))
	p := publisherOf(t, i.client)
	i.publish(0, 10, "a", "b")
	source := open(t, i.client, fast, 10)
	takeAll(t, source, 0, 10)
	source.Stop()
	i.consumerIsDone(fast)

	var batch []ingress.Message
	for n := range 20 {
		m := jstest.Message("big-"+strconv.Itoa(n), "b")
		m.Event.Data = make([]byte, 6<<10)
		batch = append(batch, m)
	}
	stored, err := p.Publish(jstest.Context(t), i.broker, batch)

	var full *ingress.LogFullError
	if !errors.As(err, &full) || full.Address != i.broker.Key || full.Holder == nil || *full.Holder != slow.Key {
		t.Fatalf("error %v, want a full log held by %s", err, slow.Key)
	}
	ids := i.storedIDs()
	if inLog := len(ids) - 10; stored != inLog || stored == 0 || stored == 20 {
		t.Errorf("%d are said to be stored and %d are; want some of 20", stored, inLog)
	}
}

func TestAFullLogOfAForeignConsumerNamesIt(t *testing.T) {
	t.Parallel()
	i := install(t)
	i.broker = brokerOf("small", 16<<10)
	i.putBroker()
	_, err := i.client.JetStream().CreateConsumer(jstest.Context(t), i.client.Names().Log(i.broker.Key), natsjs.ConsumerConfig{
		Durable: "backup", AckPolicy: natsjs.AckExplicitPolicy,
	})
	jstest.Must(t, err)
	m := jstest.Message("big", "a")
	m.Event.Data = make([]byte, 12<<10)
	p := publisherOf(t, i.client)
	_, err = p.Publish(jstest.Context(t), i.broker, []ingress.Message{m})
	jstest.Must(t, err)
	m.ID = "another"
	_, err = p.Publish(jstest.Context(t), i.broker, []ingress.Message{m})
	if !errors.Is(err, ingress.ErrLogFull) || !strings.Contains(err.Error(), "backup") {
		t.Errorf("error %v, want a full log that names the consumer backup", err)
	}
}

func TestAnAccountWithoutRoomIsAFullLog(t *testing.T) {
	t.Parallel()
	s := natstest.Start(t, func(o *server.Options) { o.JetStreamMaxStore = 1 << 20 })
	c := dial(t, s)
	jstest.Must(t, buckets.Ensure(t.Context(), c))
	_, err := New(c, "tests", shortGrace).PutAddress(jstest.Context(t), brokerOf("huge", 1<<30))
	if err == nil || !strings.Contains(err.Error(), strconv.Itoa(1<<30)) {
		t.Errorf("error %v, want one that names the bytes asked for", err)
	}
}

// A reply is stored once for one delivery, however often it is tried, and refused for good where trying again cannot help.
func TestReply(t *testing.T) {
	t.Parallel()
	i := install(t)
	store := storeOf(t, i.client, jstest.Table(i.broker))
	target := i.trigger("all")
	for range 3 {
		jstest.Must(t, store.Reply(jstest.Context(t), target, dispatch.Work{Sequence: 7}, jstest.Event("reply", "a")))
	}
	jstest.Must(t, store.Reply(jstest.Context(t), target, dispatch.Work{Sequence: 8}, jstest.Event("other", "a")))
	if ids := i.storedIDs(); len(ids) != 2 || ids["reply"] != 1 {
		t.Errorf("stored %v, want each once", ids)
	}
	large := jstest.Event("large", "a")
	large.Data = make([]byte, i.client.MaxPayload())
	if err := store.Reply(jstest.Context(t), target, dispatch.Work{Sequence: 9}, large); !errors.Is(err, dispatch.ErrReplyRefused) {
		t.Errorf("error %v, want ErrReplyRefused", err)
	}
	if err := store.Reply(jstest.Context(t), target, dispatch.Work{Sequence: 9}, jstest.Event("large", "a").With("big", strings.Repeat("x", 1<<16))); !errors.Is(err, dispatch.ErrReplyRefused) {
		t.Errorf("error %v, want ErrReplyRefused", err)
	}
	closed := i.broker
	closed.Refuse = "a policy selects it"
	refusing := storeOf(t, i.client, jstest.Table(closed))
	err := refusing.Reply(jstest.Context(t), target, dispatch.Work{Sequence: 10}, jstest.Event("closed", "a"))
	if !errors.Is(err, dispatch.ErrReplyForbidden) || !strings.Contains(err.Error(), closed.Refuse) {
		t.Errorf("error %v, want ErrReplyForbidden and why", err)
	}
	if ids := i.storedIDs(); ids["closed"] != 0 {
		t.Error("a reply to an address that refuses was stored")
	}
	elsewhere := target
	elsewhere.Key.Address.Name = "gone"
	if err := store.Reply(jstest.Context(t), elsewhere, dispatch.Work{Sequence: 9}, jstest.Event("x", "a")); !errors.Is(err, publish.ErrNotStored) || errors.Is(err, dispatch.ErrReplyRefused) {
		t.Errorf("error %v, want ErrNotStored", err)
	}
}
