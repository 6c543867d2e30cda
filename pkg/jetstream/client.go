package jetstream

import (
	"log/slog"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/naming"
)

// Names are those of the installation's streams, consumers, buckets and subjects.
func (c *Client) Names() naming.Names { return c.names }

// ID tells this process from all others.
func (c *Client) ID() string { return c.id }

// Logger is that of the process.
func (c *Client) Logger() *slog.Logger { return c.log }

// Conn is the connection to read, acknowledge and manage. What is written to it while NATS is away is sent later.
func (c *Client) Conn() *nats.Conn { return c.conn }

// EventsConn is the connection to publish events. A write fails at once while NATS is away.
func (c *Client) EventsConn() *nats.Conn { return c.events }

// JetStream manages streams and consumers over Conn.
func (c *Client) JetStream() jetstream.JetStream { return c.js }

// Removals manages over EventsConn: a removal that is asked for while NATS is away must not be sent later, when it may be wrong.
func (c *Client) Removals() jetstream.JetStream { return c.removals }

// Timing is what a test may want otherwise; it changes that before the first use of the client.
func (c *Client) Timing() *Timing { return &c.timing }

// ConnectionsMade counts the connections that Conn has made so far. The next one is counted before anything can come over it.
func (c *Client) ConnectionsMade() uint64 { return c.dialer.made.Load() }

// OnDisconnect has f called whenever EventsConn loses its connection. f must not block.
func (c *Client) OnDisconnect(f func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.onDisconnect = append(c.onDisconnect, f)
}

func (c *Client) disconnected() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, f := range c.onDisconnect {
		f()
	}
}

// Go runs f in a goroutine that Close waits for.
func (c *Client) Go(f func()) { c.background.Go(f) }
