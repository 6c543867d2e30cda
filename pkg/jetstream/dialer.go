package jetstream

import (
	"context"
	"net"
	"sync/atomic"

	"github.com/nats-io/nats.go"
)

// dialer makes the connections of one nats.Conn, one after the other. It counts them, and keeps the
// error of the last attempt, which nats.go does not report while it retries. Safe for concurrent
// use.
//
// A connection is counted when all messages of the one before have reached their subscriptions, and
// before the first message of the new one. nats.go offers no such count: its callback for a lost
// connection may run after that message, and its statistics need a lock that it holds to dial.
type dialer struct {
	inProcess nats.InProcessConnProvider // instead of the network, if not nil
	made      atomic.Uint64
	last      atomic.Pointer[error]
}

func (d *dialer) option() nats.Option {
	if d.inProcess != nil {
		return nats.InProcessServer(d)
	}
	return nats.SetCustomDialer(d)
}

// Dial implements nats.CustomDialer.
func (d *dialer) Dial(network, address string) (net.Conn, error) {
	plain := net.Dialer{Timeout: dialTimeout}
	return d.note(plain.DialContext(context.Background(), network, address))
}

// InProcessConn implements nats.InProcessConnProvider.
func (d *dialer) InProcessConn() (net.Conn, error) { return d.note(d.inProcess.InProcessConn()) }

func (d *dialer) note(conn net.Conn, err error) (net.Conn, error) {
	if err == nil {
		d.made.Add(1)
	}
	d.last.Store(&err)
	return conn, err
}

// lastError returns why the last attempt failed; nil if it succeeded.
func (d *dialer) lastError() error {
	if last := d.last.Load(); last != nil {
		return *last
	}
	return nil
}
