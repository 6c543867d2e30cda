// Package jetstream is the client of NATS: a process's connections, access to buckets, and what all
// rooms below it know of streams and consumers.
//
// Rooms below it read and write what the event path needs. Each says in its doc.go what for;
// docs/architecture.md has the table. NATS's own package of this name is imported as natsjs there.
//
// NATS publishers may write into the logs of Channels: codec.DecodeChannel says what becomes of
// their messages, and owner/adopt.go what a stream of theirs has to put up with that is adopted.
package jetstream

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/nats-io/nuid"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/naming"
)

// minAPILevel is nats-server 2.12: message schedules (ADR-51) and delete markers in KV buckets.
const minAPILevel = 2

// RequestTimeout bounds one request to the JetStream API when the caller's context has no deadline of its own.
const RequestTimeout = 5 * time.Second

// dialTimeout bounds one attempt to connect to one address; it is nats.go's own default.
const dialTimeout = 2 * time.Second

// writeTimeout bounds one write to a connection. On a network that lets nothing pass, a publish is stuck in a write, whatever its own time
// is, and all others wait for it. It leaves a publish as much time again for another server.
const writeTimeout = PublishBudget / 2

// Options say how to reach NATS. Nothing in them is ever logged but the URL, without its user part.
type Options struct {
	// URL is a comma-separated list of servers.
	URL string
	// Creds, NKey, CA, Cert and Key are paths of files.
	Creds, NKey, CA, Cert, Key string
	// InProcess, when set, is used instead of URL.
	InProcess nats.InProcessConnProvider
	// Name shows up in the server's connection list.
	Name   string
	Names  naming.Names
	Logger *slog.Logger
}

// Client holds a process's connections to NATS. Safe for concurrent use.
//
// There are two: one to read, acknowledge and manage, whose writes wait for a reconnect; and one to publish events, whose
// writes fail at once while NATS is away, so that an event that was refused is not sent minutes later.
type Client struct {
	names  naming.Names
	id     string // of this process
	log    *slog.Logger
	conn   *nats.Conn
	js     jetstream.JetStream
	events *nats.Conn
	// removals is on events too: a removal that was asked for while NATS is away must not be sent later, when it may be wrong.
	removals jetstream.JetStream
	timing   Timing
	// servers are the URLs without their user parts, for messages.
	servers string
	// dialer makes the connections of conn, eventsDialer those of events.
	dialer, eventsDialer *dialer
	mu                   sync.Mutex
	// onDisconnect are called when events loses its connection.
	onDisconnect []func()
	// background are the goroutines of sources, which end their leases before Close returns.
	background sync.WaitGroup
}

// Connect returns a client that connects in the background and reconnects for ever. Use Wait before the first request.
// Errors: unreadable credentials or certificates.
func Connect(o Options) (*Client, error) {
	options, err := o.natsOptions()
	if err != nil {
		return nil, err
	}
	c := &Client{
		names: o.Names, id: nuid.Next(), log: o.Logger, timing: DefaultTiming(), servers: withoutUsers(o.URL),
		dialer: &dialer{inProcess: o.InProcess}, eventsDialer: &dialer{inProcess: o.InProcess},
	}
	options = append(options, nats.ErrorHandler(c.logError))
	if c.conn, err = nats.Connect(o.URL, slices.Concat(options, c.outageLog(), []nats.Option{c.dialer.option()})...); err != nil {
		return nil, c.connectError(err)
	}
	if c.events, err = nats.Connect(o.URL, append(options, nats.ReconnectBufSize(-1), c.eventsDialer.option())...); err != nil {
		c.conn.Close()
		return nil, c.connectError(err)
	}
	c.events.SetDisconnectErrHandler(func(*nats.Conn, error) { c.disconnected() })
	if c.js, err = jetstream.New(c.conn, jetstream.WithDefaultTimeout(RequestTimeout)); err != nil {
		c.Close()
		return nil, err
	}
	if c.removals, err = jetstream.New(c.events, jetstream.WithDefaultTimeout(RequestTimeout)); err != nil {
		c.Close()
		return nil, err
	}
	return c, nil
}

// connectError hides what the URL package quotes: there may be a password in it.
func (c *Client) connectError(err error) error {
	if _, malformed := errors.AsType[*url.Error](err); malformed {
		return fmt.Errorf("connect to NATS: %s cannot be read as URLs", c.servers)
	}
	return fmt.Errorf("connect to NATS: %w", err)
}

func (o Options) natsOptions() ([]nats.Option, error) {
	options := []nats.Option{
		nats.Name(o.Name),
		nats.MaxReconnects(-1),
		nats.ReconnectWait(250 * time.Millisecond),
		nats.RetryOnFailedConnect(true),
		nats.IgnoreAuthErrorAbort(), // credentials are rotated: those of today may work in a minute
		nats.NoCallbacksAfterClientClose(),
		nats.PingInterval(10 * time.Second),
		nats.MaxPingsOutstanding(2),
		nats.FlusherTimeout(writeTimeout),
	}
	if o.Creds != "" {
		options = append(options, nats.UserCredentials(o.Creds))
	}
	if o.NKey != "" {
		nkey, err := nats.NkeyOptionFromSeed(o.NKey)
		if err != nil {
			return nil, fmt.Errorf("read the NKey seed: %w", err)
		}
		options = append(options, nkey)
	}
	if o.CA != "" {
		options = append(options, nats.RootCAs(o.CA))
	}
	if (o.Cert == "") != (o.Key == "") {
		return nil, errors.New("a client certificate needs both its certificate and its key")
	}
	if o.Cert != "" {
		options = append(options, nats.ClientCert(o.Cert, o.Key))
	}
	return options, nil
}

// outageLog writes one line when NATS goes and one, with the duration, when it is back.
func (c *Client) outageLog() []nats.Option {
	var since time.Time // touched only by the connection's own callback goroutine
	return []nats.Option{
		nats.DisconnectErrHandler(func(_ *nats.Conn, err error) {
			if since.IsZero() {
				since = time.Now()
				c.log.Warn("NATS is away", "error", err)
			}
		}),
		nats.ReconnectHandler(func(*nats.Conn) {
			if since.IsZero() {
				return
			}
			c.log.Info("NATS is back", "outage", time.Since(since).Round(time.Millisecond))
			since = time.Time{}
		}),
	}
}

func (c *Client) logError(_ *nats.Conn, s *nats.Subscription, err error) {
	subject := ""
	if s != nil {
		subject = s.Subject
	}
	c.log.Warn("NATS reports an error", "error", err, "subject", subject)
}

// Wait returns once both connections are up and the server has been seen to have what we need.
// Errors: ErrServerTooOld, ErrNoJetStream, or why NATS cannot be reached, with its URL.
func (c *Client) Wait(ctx context.Context) error {
	for conn, d := range map[*nats.Conn]*dialer{c.conn: c.dialer, c.events: c.eventsDialer} {
		if err := waitConnected(ctx, conn); err != nil {
			// The dialer knows the cause; where the server answers, but refuses, the connection does.
			return fmt.Errorf("NATS at %s cannot be reached: %w", c.servers, cmp.Or(d.lastError(), conn.LastError(), err))
		}
	}
	account, err := c.js.AccountInfo(ctx)
	if errors.Is(err, jetstream.ErrJetStreamNotEnabled) || errors.Is(err, jetstream.ErrJetStreamNotEnabledForAccount) {
		return ErrNoJetStream
	}
	if err != nil {
		return fmt.Errorf("read the NATS account: %w", err)
	}
	if account.API.Level < minAPILevel {
		return fmt.Errorf("%w (it says %s)", ErrServerTooOld, c.conn.ConnectedServerVersion())
	}
	return nil
}

// Renew connects once more, with the credentials and certificates that their files hold now; an NKey stays the one that it was.
// It returns at once. What is under way meanwhile waits for the new connection or is tried again by whoever began it, as
// after any break.
func (c *Client) Renew() {
	for _, conn := range []*nats.Conn{c.conn, c.events} {
		_ = conn.ForceReconnect() // an error is a connection that is closed: the process ends
	}
}

func waitConnected(ctx context.Context, conn *nats.Conn) error {
	up := conn.StatusChanged(nats.CONNECTED)
	defer conn.RemoveStatusListener(up)
	for !conn.IsConnected() {
		select {
		case <-up:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	return nil
}

// Connected reports whether NATS can be reached now; a process's readiness follows it.
func (c *Client) Connected() bool { return c.conn.IsConnected() && c.events.IsConnected() }

// Servers are the URLs of NATS, without names, passwords and tokens.
func (c *Client) Servers() string { return c.servers }

// MaxPayload is the largest message, headers included, that the server takes, in bytes; 1 MiB before the first connection.
func (c *Client) MaxPayload() int64 {
	if limit := c.events.MaxPayload(); limit > 0 {
		return limit
	}
	return 1 << 20
}

// Close waits for the sources, which must have been stopped and their leases ended, sends what is buffered and closes the
// connections.
func (c *Client) Close() {
	c.background.Wait()
	for _, conn := range []*nats.Conn{c.events, c.conn} {
		if conn != nil {
			if conn.IsConnected() {
				_ = conn.FlushTimeout(RequestTimeout) // what could not be sent is redelivered: nothing is lost here
			}
			conn.Close()
		}
	}
}

// withoutUsers takes names, passwords and tokens out of a comma-separated list of servers.
func withoutUsers(servers string) string {
	list := strings.Split(servers, ",")
	for i, server := range list {
		scheme, rest, found := strings.Cut(strings.TrimSpace(server), "://")
		if !found {
			scheme, rest = "nats", scheme
		}
		list[i] = scheme + "://" + rest[strings.LastIndex(rest, "@")+1:]
	}
	return strings.Join(list, ",")
}
