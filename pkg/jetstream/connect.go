// Package jetstream is the client of NATS: a process's connections, access to buckets, and the
// metadata of streams and consumers. The packages below it, the rooms of docs/architecture.md, do
// the work of the event path. They import nats.go's package of the same name as natsjs.
//
// NATS publishers may write into the log of a Channel: codec.DecodeChannel says which event a
// message of theirs becomes, and owner/adopt.go how an address uses a stream that is not ours.
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

// minAPILevel is that of nats-server 2.12: message schedules (ADR-51), KV delete markers.
const minAPILevel = 2

// RequestTimeout bounds a request to the JetStream API if the caller's context has no deadline.
const RequestTimeout = 5 * time.Second

// dialTimeout bounds one attempt to connect to one address; it is nats.go's own default.
const dialTimeout = 2 * time.Second

// writeTimeout bounds one write. On a network that drops everything a publish hangs in a write,
// whatever its deadline, and blocks others. Half of PublishBudget is left to try another server.
const writeTimeout = PublishBudget / 2

// Options say how to reach NATS. Of these only the URL is ever logged, without its user part.
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
// There are two: one to read, acknowledge and manage, whose writes wait for a reconnect; and one to
// publish events, whose writes fail at once while NATS is away: a refused event is not sent later.
type Client struct {
	names  naming.Names
	id     string // of this process
	log    *slog.Logger
	conn   *nats.Conn
	js     jetstream.JetStream
	events *nats.Conn
	// removals uses events; see Removals.
	removals jetstream.JetStream
	timing   Timing
	// servers are the URLs without their user parts, for messages.
	servers string
	// dialer makes the connections of conn, eventsDialer those of events.
	dialer, eventsDialer *dialer
	mu                   sync.Mutex
	// onDisconnect are the functions to call when events loses its connection.
	onDisconnect []func()
	// background are the goroutines of sources, for which Close waits.
	background sync.WaitGroup
}

// Connect returns a client that connects in the background and reconnects for ever. Call Wait
// before the first request. Errors: unreadable credentials or certificates.
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

// connectError drops the text of a url.Error, which may quote a password.
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
		nats.IgnoreAuthErrorAbort(), // credentials are rotated: the server may accept these in a minute
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

// Wait returns once both connections are up and the server has JetStream with the needed API level.
// Errors: ErrServerTooOld, ErrNoJetStream, or why NATS cannot be reached, with its URL.
func (c *Client) Wait(ctx context.Context) error {
	for conn, d := range map[*nats.Conn]*dialer{c.conn: c.dialer, c.events: c.eventsDialer} {
		if err := waitConnected(ctx, conn); err != nil {
			// The dialer knows the cause; if the server refuses the client, the connection does.
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

// Renew reconnects with the credentials and certificates that are in the files now; the NKey stays
// as it was read at the start. It returns at once. Requests under way wait for the new connection,
// or their callers repeat them, as after any lost connection.
func (c *Client) Renew() {
	for _, conn := range []*nats.Conn{c.conn, c.events} {
		_ = conn.ForceReconnect() // fails only on a closed connection: the process ends
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

// Servers returns the URLs of NATS, without names, passwords and tokens.
func (c *Client) Servers() string { return c.servers }

// MaxPayload returns the server's limit for headers and data, in bytes; 1 MiB until connected.
func (c *Client) MaxPayload() int64 {
	if limit := c.events.MaxPayload(); limit > 0 {
		return limit
	}
	return 1 << 20
}

// Close waits until all leases have ended, sends what is buffered and closes. Stop sources before.
func (c *Client) Close() {
	c.background.Wait()
	for _, conn := range []*nats.Conn{c.events, c.conn} {
		if conn != nil {
			if conn.IsConnected() {
				_ = conn.FlushTimeout(RequestTimeout) // a lost ack means redelivery, not loss
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
