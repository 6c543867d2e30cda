package jetstream

import (
	"context"
	"log/slog"

	"github.com/nats-io/nats.go"
)

// Try reports why NATS cannot be used with the options, or nil: it connects, looks whether NATS has what is needed, and leaves.
// Errors: those of Connect and Wait.
func Try(ctx context.Context, o Options) error {
	o.Logger = slog.New(slog.DiscardHandler) // the caller says what the answer means
	c, err := Connect(o)
	if err != nil {
		return err
	}
	defer c.Close()
	return c.Wait(ctx)
}

// Renew connects once more, with the credentials and certificates that their files hold now; an NKey stays the one that it was.
// It returns at once. What is under way meanwhile waits for the new connection or is tried again by whoever began it, as
// after any break.
func (c *Client) Renew() {
	for _, conn := range []*nats.Conn{c.conn, c.events} {
		_ = conn.ForceReconnect() // an error is a connection that is closed: the process ends
	}
}
