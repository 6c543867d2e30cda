package jetstream

import (
	"log/slog"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/naming"
)

// Names returns the names of the installation's streams, consumers, buckets and subjects.
func (c *Client) Names() naming.Names { return c.names }

// ID identifies this process.
func (c *Client) ID() string { return c.id }

// Logger returns the process's logger.
func (c *Client) Logger() *slog.Logger { return c.log }

// Conn is for reading, acknowledging and managing. While NATS is away it keeps writes for later.
func (c *Client) Conn() *nats.Conn { return c.conn }

// EventsConn is for publishing events. A publish fails at once while NATS is away.
func (c *Client) EventsConn() *nats.Conn { return c.events }

// JetStream manages streams and consumers over Conn.
func (c *Client) JetStream() jetstream.JetStream { return c.js }

// Removals deletes and purges over EventsConn: a removal that is sent late may be a wrong one.
func (c *Client) Removals() jetstream.JetStream { return c.removals }

// Timing returns the timing. A test may change it before the first use of the client.
func (c *Client) Timing() *Timing { return &c.timing }

// ConnectionsMade counts Conn's connections, each before the first message comes over it.
func (c *Client) ConnectionsMade() uint64 { return c.dialer.made.Load() }

// OnDisconnect registers f to be called whenever EventsConn loses its connection. f must not block.
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
