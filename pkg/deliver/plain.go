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

// plain is the transport of http destinations: HTTP/1.1 over TCP, one exchange at a time on a connection.
//
// Why not http.Transport, which https destinations have: it hands each exchange over to two goroutines per connection, and that
// costs more than all else that a delivery does. Here the caller's goroutine writes, reads, and is done. The response is still
// net/http's to read. Safe for concurrent use.
type plain struct {
	dial        func(ctx context.Context, network, address string) (net.Conn, error)
	idleTimeout time.Duration

	mu     sync.Mutex
	idle   map[string][]*conn // by address; the one used last is taken first
	size   int                // of idle
	closed bool
}

func newPlain(config Config) *plain {
	return &plain{
		dial:        config.Dial,
		idleTimeout: config.IdleTimeout,
		idle:        map[string][]*conn{},
	}
}

// exchange posts the message and returns the response, within ctx to the end of its body, which the caller closes. The connection is
// used again when the body was read to its end. giveUp ends a read of the body that hangs.
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

// address is where to connect to.
func address(host, port string) string {
	if port == "" {
		return strings.TrimSuffix(host, ":") + ":80"
	}
	return host
}

// connection returns an idle connection that its peer has left open, or a new one.
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

// take removes a connection from the idle ones. It returns nil when there is none.
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

// put makes the connection an idle one, for as long as one may be.
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

// expire closes the connection, unless it was taken just before. One that was put back since is
// closed too, if early.
func (p *plain) expire(c *conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	idle := p.idle[c.address]
	if i := slices.Index(idle, c); i >= 0 {
		p.setIdle(c.address, slices.Delete(idle, i, i+1))
		c.close()
	}
}

// setIdle replaces the idle connections of an address. The map has the old ones until then, for their number. The caller holds mu.
func (p *plain) setIdle(address string, idle []*conn) {
	p.size += len(idle) - len(p.idle[address])
	if len(idle) == 0 {
		delete(p.idle, address)
		return
	}
	p.idle[address] = idle
}

// CloseIdleConnections closes them, and from now on every other when its exchange ends.
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
