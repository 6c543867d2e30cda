package jetstream

import (
	"net"
	"sync/atomic"

	"github.com/nats-io/nats.go"
)

// connections makes the connections of one nats.Conn, which come one after the other, and counts them. Safe for concurrent use.
//
// nats.go tells of a lost connection later, in a goroutine of its own: a message of the next connection may be there before. Its own count
// is behind a lock that it holds while it dials. Here the next connection is counted before anything can come over it, and when all that
// has come over the one before is with its subscribers.
type connections struct {
	dialer    nats.CustomDialer
	inProcess nats.InProcessConnProvider // instead of the dialer, if not nil
	made      atomic.Uint64
}

func (c *connections) options() []nats.Option {
	if c.inProcess != nil {
		return []nats.Option{nats.InProcessServer(c)}
	}
	return []nats.Option{nats.SetCustomDialer(c)}
}

// Dial makes it a nats.CustomDialer.
func (c *connections) Dial(network, address string) (net.Conn, error) {
	return c.count(c.dialer.Dial(network, address))
}

// InProcessConn makes it a nats.InProcessConnProvider.
func (c *connections) InProcessConn() (net.Conn, error) { return c.count(c.inProcess.InProcessConn()) }

func (c *connections) count(conn net.Conn, err error) (net.Conn, error) {
	if err == nil {
		c.made.Add(1)
	}
	return conn, err
}
