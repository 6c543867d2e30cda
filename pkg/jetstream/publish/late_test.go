package publish

import (
	"sync/atomic"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/internal/jstest"
	"github.com/eventing-jetstream/eventing-jetstream/test/natstest"
)

// On a slow machine with many senders a PubAck comes after the next copy was sent. If such a PubAck
// did not count, nothing would ever be stored.
func TestALatePubAckCounts(t *testing.T) {
	t.Parallel()
	c := jstest.Connect(t, natstest.Start(t, nil))
	sender, err := NewSender(c)
	jstest.Must(t, err)

	// The stream slow answers only the first copy, and late. The stream busy refuses at first.
	var copies atomic.Int64
	_, err = c.Conn().Subscribe("slow", func(m *nats.Msg) {
		if copies.Add(1) == 1 {
			time.AfterFunc(ackBudget+ackBudget/4, func() { _ = m.Respond([]byte(stored)) })
		}
	})
	jstest.Must(t, err)
	_, err = c.Conn().Subscribe("busy", func(m *nats.Msg) {
		if copies.Load() < 2 {
			_ = m.Respond([]byte(`{"error":{"code":503,"err_code":10008,"description":"JetStream system temporarily unavailable"},"stream":"LOG","seq":0}`))
			return
		}
		_ = m.Respond([]byte(stored))
	})
	jstest.Must(t, err)
	jstest.Must(t, c.Conn().Flush())
	n, err := sender.Send(jstest.Context(t), ExpectStream("LOG"), []*nats.Msg{nats.NewMsg("slow"), nats.NewMsg("busy")})
	if n != 2 || err != nil {
		t.Errorf("stored %d of 2, error %v", n, err)
	}
	if got := copies.Load(); got < 2 {
		t.Errorf("%d copies were sent, want that the answer comes after the second", got)
	}
	if left := len(sender.acks.waiting); left != 0 {
		t.Errorf("%d waits are left", left)
	}
}
