package jetstream

import (
	"context"
	"net"
	"sync/atomic"

	"github.com/nats-io/nats.go"
)

// dialer makes the connections of one nats.Conn, which come one after the other. It counts them, and it remembers why it could not make
// the last one: nats.go tells that to nobody while it goes on trying. Safe for concurrent use.
//
// nats.go tells of a lost connection later, in a goroutine of its own: a message of the next connection may be there before. Its own count
// is behind a lock that it holds while it dials. Here the next connection is counted before anything can come over it, and when all that
// has come over the one before is with its subscribers.
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

// Dial makes it a nats.CustomDialer.
func (d *dialer) Dial(network, address string) (net.Conn, error) {
	plain := net.Dialer{Timeout: dialTimeout}
	return d.note(plain.DialContext(context.Background(), network, address))
}

// InProcessConn makes it a nats.InProcessConnProvider.
func (d *dialer) InProcessConn() (net.Conn, error) { return d.note(d.inProcess.InProcessConn()) }

func (d *dialer) note(conn net.Conn, err error) (net.Conn, error) {
	if err == nil {
		d.made.Add(1)
	}
	d.last.Store(&err)
	return conn, err
}

// lastError is nil after an attempt that succeeded.
func (d *dialer) lastError() error {
	if last := d.last.Load(); last != nil {
		return *last
	}
	return nil
}
