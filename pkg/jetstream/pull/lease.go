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

// leases renews the leases of what one source has handed out.
type leases struct {
	conn   *nats.Conn
	budget *Budget
	every  time.Duration
	// ended has a token when a lease has ended since the last token was taken.
	ended chan struct{}

	mu  sync.Mutex
	out map[*Lease]struct{}
}

// Lease implements dispatch.Lease for one pulled message.
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

// renew sends a progress ack for each message that is due. While NATS is away it sends none: the
// client's buffer of unsent messages is better used for acknowledgements.
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

// renewUntilEnded renews leases until the last one has ended or the connection is closed. Whoever
// holds a lease ends it within a time budget of its own.
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

// end publishes before it removes the lease: once no lease is left, the connection may be closed.
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

// Ack acknowledges the message. A lost ack means one more delivery, never a loss.
func (l *Lease) Ack() error { return l.end(ackBody) }

// Release gives the message back to NATS, which delivers it again after the delay.
func (l *Lease) Release(after time.Duration) error {
	// A server that stops right after a nak without a delay forgets the nak (nats-server 2.15): the
	// message would come again only when its lease runs out.
	return l.end(fmt.Sprintf(`%s {"delay": %d}`, nakBody, max(after, 1).Nanoseconds()))
}
