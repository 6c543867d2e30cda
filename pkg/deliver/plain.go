package deliver

import (
	"context"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/net/http/httpguts"
)

// plain is the transport of http destinations: HTTP/1.1, one exchange at a time on a connection.
//
// https destinations use http.Transport, which hands each exchange to two goroutines per
// connection. That costs more than the rest of a delivery, so here the caller's goroutine writes
// and reads; net/http still parses the response. Safe for concurrent use.
type plain struct {
	dial        func(ctx context.Context, network, address string) (net.Conn, error)
	idleTimeout time.Duration

	mu     sync.Mutex
	idle   map[string][]*conn // by address; the last is taken first
	size   int                // of all of idle
	closed bool
}

func newPlain(config Config) *plain {
	return &plain{
		dial:        config.Dial,
		idleTimeout: config.IdleTimeout,
		idle:        map[string][]*conn{},
	}
}

// exchange posts the message and returns the response, whose body the caller closes, within ctx to
// the end of the body. It may reuse a connection. giveUp ends a read of the body that hangs.
func (p *plain) exchange(ctx context.Context, m message) (response *http.Response, giveUp func(), err error) {
	host, err := httpguts.PunycodeHostPort(m.url.Host)
	if err != nil {
		return nil, nil, err
	}
	c, err := p.connection(ctx, address(host, m.url.Port()))
	if err != nil {
		return nil, nil, err
	}
	return c.exchange(ctx, host, m)
}

func address(host, port string) string {
	if port == "" {
		return strings.TrimSuffix(host, ":") + ":80"
	}
	return host
}

// connection returns an idle connection that the peer has left open, or a new one.
func (p *plain) connection(ctx context.Context, address string) (*conn, error) {
	for {
		c := p.take(address)
		switch {
		case c == nil:
			dialed, err := p.dial(ctx, "tcp", address)
			if err != nil {
				return nil, err
			}
			return newConn(p, address, dialed), nil
		case c.isQuiet():
			return c, nil
		}
		c.close()
	}
}

// take removes and returns an idle connection; nil when there is none.
func (p *plain) take(address string) *conn {
	p.mu.Lock()
	defer p.mu.Unlock()
	idle := p.idle[address]
	if len(idle) == 0 {
		return nil
	}
	c := idle[len(idle)-1]
	idle[len(idle)-1] = nil
	p.setIdle(address, idle[:len(idle)-1])
	c.expiry.Stop()
	return c
}

// put keeps the connection for the next exchange until the idle timeout, or closes it.
func (p *plain) put(c *conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed || p.size >= maxIdle {
		c.close()
		return
	}
	p.setIdle(c.address, append(p.idle[c.address], c))
	if c.expiry == nil {
		c.expiry = time.AfterFunc(p.idleTimeout, func() { p.expire(c) })
		return
	}
	c.expiry.Reset(p.idleTimeout)
}

// expire closes the connection if it is idle, also if it was used and put back meanwhile.
func (p *plain) expire(c *conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	idle := p.idle[c.address]
	if i := slices.Index(idle, c); i >= 0 {
		p.setIdle(c.address, slices.Delete(idle, i, i+1))
		c.close()
	}
}

// setIdle replaces the idle connections of an address, and counts. The caller holds mu.
func (p *plain) setIdle(address string, idle []*conn) {
	p.size += len(idle) - len(p.idle[address])
	if len(idle) == 0 {
		delete(p.idle, address)
		return
	}
	p.idle[address] = idle
}

// CloseIdleConnections closes the idle connections, and every other when its exchange ends.
func (p *plain) CloseIdleConnections() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed = true
	for _, idle := range p.idle {
		for _, c := range idle {
			c.expiry.Stop()
			c.close()
		}
	}
	clear(p.idle)
	p.size = 0
}
