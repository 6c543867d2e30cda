package pull

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream"

	"github.com/nats-io/nats.go"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/internal/jstest"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/share"
)

// The status that ends a request may come after the next request was sent. It must not end that
// one.
func TestASourceHasNoMoreRequestsOpenThanItKnowsOf(t *testing.T) {
	t.Parallel()
	l := makeLog(t)
	l.publish(t, numbers(205)...)
	g, b := greedy{10, make(chan *nats.Msg, 1000)}, NewBudget(DefaultBudget)
	s, err := Open(l.client, cursor, g, b)
	jstest.Must(t, err)
	for range 205 {
		g.next(t)
	}
	jstest.Await(t, "all is acknowledged", func() bool { return l.state(t).AckFloor.Consumer == 205 })
	if waiting := l.state(t).NumWaiting; waiting > requests {
		t.Errorf("%d requests wait at the server, want at most %d", waiting, requests)
	}
	s.Stop()
	if s.least != firstAsk || b.asked.Load() != 0 || b.held.Load() != 0 {
		t.Errorf("small messages made it ask for %d bytes at least; %d are asked for and %d held in the end", s.least, b.asked.Load(), b.held.Load())
	}
}

// The server sends no status for a request whose bytes are used up exactly.
func TestARequestThatIsUsedUpExactlyIsOver(t *testing.T) {
	t.Parallel()
	l := makeLog(t)
	g, b := greedy{share.Room, make(chan *nats.Msg, 10)}, NewBudget(DefaultBudget)
	s, err := Open(l.client, cursor, g, b)
	jstest.Must(t, err)
	defer s.Stop()
	send := func(bytes int) {
		t.Helper()
		l.publish(t, strings.Repeat("x", bytes))
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
	if took := time.Since(begin); took > jetstream.DefaultTiming().Heartbeat {
		t.Errorf("the next message came after %s: when the source has missed the heartbeats of a request that is over", took)
	}
}

// All sources of a process together request less than a server lets wait for one connection.
func TestAllSourcesTogetherStayBelowTheLimitOfAConnection(t *testing.T) {
	t.Parallel()
	b := NewBudget(1 << 30)
	var refused, asked int64
	sources := make([]Source, 10)
	for n := range sources {
		sources[n].more = make(chan struct{}, 1)
		granted := b.ask(&sources[n], mostAsk, firstAsk)
		asked += granted
		if granted == 0 {
			refused++
		}
	}
	if asked > mostAsked || refused == 0 {
		t.Errorf("%d bytes are asked for, want at most %d; %d are refused", asked, mostAsked, refused)
	}
	b.arrived(mostAsk)
	b.settled(mostAsk)
	for n := range sources {
		if told := len(sources[n].more) == 1; told != (n >= mostAsked/mostAsk) {
			t.Errorf("source %d is told that there is room: %t", n, told)
		}
	}
}

func TestAnOutageLeavesNoPileOfPullRequests(t *testing.T) {
	t.Parallel()
	l := makeLog(t)
	g := greedy{4, make(chan *nats.Msg, 100)}
	s, err := Open(l.client, cursor, g, NewBudget(DefaultBudget))
	jstest.Must(t, err)
	defer s.Stop()
	l.server.Stop()
	jstest.Await(t, "the outage is noticed", func() bool { return !l.client.Conn().IsConnected() })
	written := l.client.Conn().Stats().OutMsgs
	for range 50 { // as in an outage of many minutes
		s.status <- l.client.Conn().Status()
	}
	jstest.Await(t, "the source has tried to ask each time", func() bool { return len(s.status) == 0 })
	if sent := l.client.Conn().Stats().OutMsgs - written; sent != 0 {
		t.Errorf("%d requests are kept to be sent when the server is back, want none", sent)
	}
	l.server.Restart()
	jstest.Await(t, "the client is back", l.client.Connected)
	l.publish(t, numbers(60)...)
	for n := range 60 {
		if m := g.next(t); string(m.Data) != fmt.Sprint(n) {
			t.Errorf("message %d has the body %s", n, m.Data)
		}
	}
}
