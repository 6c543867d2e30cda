package pull

import (
	"fmt"
	"sync"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/loop"
)

// The acknowledgements of a pull consumer. Source: NATS ADR-15 and nats-server server/consumer.go.
const (
	ackBody      = "+ACK"
	progressBody = "+WPI"
	nakBody      = "-NAK"
)

// leases renews what one source has handed out.
type leases struct {
	conn   *nats.Conn
	budget *Budget
	every  time.Duration
	// ended holds a token when a lease has ended since the last one was taken from it.
	ended chan struct{}

	mu  sync.Mutex
	out map[*Lease]struct{}
}

// Lease is dispatch.Lease of one pulled message.
type Lease struct {
	all     *leases
	reply   string
	bytes   int64
	renewed time.Time // guarded by all.mu
}

func newLeases(conn *nats.Conn, b *Budget, every time.Duration) *leases {
	return &leases{conn: conn, budget: b, every: every, ended: make(chan struct{}, 1), out: map[*Lease]struct{}{}}
}

func (l *leases) add(reply string, bytes int64) *Lease {
	one := &Lease{all: l, reply: reply, bytes: bytes, renewed: time.Now()}
	l.mu.Lock()
	l.out[one] = struct{}{}
	l.mu.Unlock()
	return one
}

// none reports whether no lease is out.
func (l *leases) none() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.out) == 0
}

// renew tells the server to wait on for each message that is due. While NATS is away it does nothing: what the client keeps
// to send later is better spent on acknowledgements.
func (l *leases) renew(now time.Time) {
	if !l.conn.IsConnected() {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	for one := range l.out {
		if now.Sub(one.renewed) < l.every {
			continue
		}
		if l.conn.Publish(one.reply, []byte(progressBody)) == nil {
			one.renewed = now
		}
	}
}

// renewUntilEnded returns when the last lease has ended, or the connection is closed. Whoever holds one ends it within its own
// time budget.
func (l *leases) renewUntilEnded(tick <-chan time.Time) {
	for {
		l.mu.Lock()
		left := len(l.out)
		l.mu.Unlock()
		if left == 0 || l.conn.IsClosed() {
			return
		}
		select {
		case now := <-tick:
			l.renew(now)
		case <-l.ended:
		}
	}
}

// end sends the word first: once no lease is out, the connection may be closed.
func (l *Lease) end(body string) error {
	err := l.all.conn.Publish(l.reply, []byte(body))
	l.all.mu.Lock()
	_, out := l.all.out[l]
	delete(l.all.out, l)
	l.all.mu.Unlock()
	if out {
		l.all.budget.settled(l.bytes)
	}
	loop.Notify(l.all.ended)
	return err
}

// Ack ends the message's life. A lost ack means one more delivery, never a loss.
func (l *Lease) Ack() error { return l.end(ackBody) }

// Release gives the message back.
func (l *Lease) Release(after time.Duration) error {
	// A nak without a delay is not kept by a server that stops right after it (nats-server 2.15): the message would only come
	// again when its lease runs out.
	return l.end(fmt.Sprintf(`%s {"delay": %d}`, nakBody, max(after, 1).Nanoseconds()))
}
