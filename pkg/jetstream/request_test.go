package jetstream

import (
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/internal/jstest"
	ejs "github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/zclient"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/share"
)

// greedy is a taker that has room for as many, and acknowledges at once.
type greedy struct {
	room int
	got  chan *nats.Msg
}

func (g greedy) space() share.Space {
	return share.Space{Messages: g.room, MostMessages: g.room, Bytes: share.MaxBytes}
}
func (g greedy) paused() bool { return false }
func (g greedy) take(m *nats.Msg, l *lease) {
	_ = l.Ack()
	g.got <- m
}

// next waits for one message.
func (g greedy) next(t *testing.T) *nats.Msg {
	t.Helper()
	select {
	case m := <-g.got:
		return m
	case <-time.After(jstest.Patience):
		t.Fatalf("no message in %s", jstest.Patience)
	}
	return nil
}

// A server says that a batch is complete when the next request may be on its way: that must not pass for the end of the next one.
func TestASourceHasNoMoreRequestsOpenThanItKnowsOf(t *testing.T) {
	t.Parallel()
	i := install(t)
	all := i.put(i.trigger("all"))
	i.Send(0, 205, "a")
	g, b := greedy{10, make(chan *nats.Msg, 1000)}, newBudget(DefaultBudget)
	s, err := pull(i.client, logID(i.client, all), g, b)
	jstest.Must(t, err)
	for range 205 {
		g.next(t)
	}
	jstest.Await(t, "all is acknowledged", func() bool { return i.consumerInfo(all).AckFloor.Consumer == 205 })
	if waiting := i.consumerInfo(all).NumWaiting; waiting > requests {
		t.Errorf("%d requests wait at the server, want at most %d", waiting, requests)
	}
	s.Stop()
	if s.least != firstAsk || b.asked.Load() != 0 || b.held.Load() != 0 {
		t.Errorf("small messages made it ask for %d bytes at least; %d are asked for and %d held in the end", s.least, b.asked.Load(), b.held.Load())
	}
}

// Of a request whose bytes are used up to the last the server says nothing.
func TestARequestThatIsUsedUpExactlyIsOver(t *testing.T) {
	t.Parallel()
	i := install(t)
	all := i.put(i.trigger("all"))
	g, b := greedy{share.Room, make(chan *nats.Msg, 10)}, newBudget(DefaultBudget)
	s, err := pull(i.client, logID(i.client, all), g, b)
	jstest.Must(t, err)
	defer s.Stop()
	subject := i.client.Names().EventSubject(i.broker.Key, "a")
	send := func(bytes int) {
		t.Helper()
		_, err := i.client.JetStream().Publish(jstest.Context(t), subject, []byte(strings.Repeat("x", bytes)))
		jstest.Must(t, err)
	}
	send(100)
	first := g.next(t)
	send(firstAsk - first.Size() - len(first.Subject) - len(first.Reply))
	if second := g.next(t); first.Size()+second.Size() != firstAsk {
		t.Fatalf("both have %d bytes, want exactly what the request asked for, %d", first.Size()+second.Size(), firstAsk)
	}
	begin := time.Now()
	send(100)
	g.next(t)
	if took := time.Since(begin); took > ejs.PullHeartbeat {
		t.Errorf("the next message came after %s: when the source has missed the heartbeats of a request that is over", took)
	}
}
