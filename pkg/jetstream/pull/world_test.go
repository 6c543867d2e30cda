package pull

import (
	"fmt"
	"log/slog"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	natsjs "github.com/nats-io/nats.go/jetstream"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/internal/jstest"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/naming"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/share"
	"github.com/eventing-jetstream/eventing-jetstream/test/natstest"
)

// log is a stream with one consumer, on a server of its own.
type log struct {
	server *natstest.Server
	client *jetstream.Client
}

var cursor = Consumer{Stream: "LOG", Name: "shared"}

func makeLog(t *testing.T) log {
	t.Helper()
	names, err := naming.New(naming.DefaultPrefix)
	jstest.Must(t, err)
	s := natstest.Start(t, nil)
	c, err := jetstream.Connect(jetstream.Options{URL: s.URL(), Names: names, Logger: slog.New(slog.DiscardHandler)})
	jstest.Must(t, err)
	t.Cleanup(c.Close)
	jstest.Must(t, c.Wait(jstest.Context(t)))
	_, err = c.JetStream().CreateStream(jstest.Context(t), natsjs.StreamConfig{Name: cursor.Stream, Subjects: []string{"log.>"}})
	jstest.Must(t, err)
	_, err = c.JetStream().CreateConsumer(jstest.Context(t), cursor.Stream, natsjs.ConsumerConfig{
		Durable: cursor.Name, AckPolicy: natsjs.AckExplicitPolicy, MaxAckPending: 1000,
	})
	jstest.Must(t, err)
	return log{s, c}
}

// publish stores a message with each of these bodies.
func (l log) publish(t *testing.T, bodies ...string) {
	t.Helper()
	for _, body := range bodies {
		_, err := l.client.JetStream().Publish(jstest.Context(t), "log.a", []byte(body))
		jstest.Must(t, err)
	}
}

func (l log) state(t *testing.T) *natsjs.ConsumerInfo {
	t.Helper()
	consumer, err := l.client.JetStream().Consumer(jstest.Context(t), cursor.Stream, cursor.Name)
	jstest.Must(t, err)
	return consumer.CachedInfo()
}

// numbers returns n different bodies.
func numbers(n int) (bodies []string) {
	for i := range n {
		bodies = append(bodies, fmt.Sprint(i))
	}
	return bodies
}

// greedy is a Taker with room for so many messages, which acknowledges at once.
type greedy struct {
	room int
	got  chan *nats.Msg
}

func (g greedy) Space() share.Space {
	return share.Space{Messages: g.room, MostMessages: g.room, Bytes: share.MaxBytes}
}
func (g greedy) Paused() bool { return false }
func (g greedy) Take(m *nats.Msg, l *Lease) {
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
