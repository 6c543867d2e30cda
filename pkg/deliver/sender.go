// Package deliver sends events over HTTP, one request per Send: no retries, redirects or cookies.
//
// The proxy settings of the environment are ignored: destinations are resolved addresses, mostly
// inside the cluster, and a variable that was set for something else must not redirect events.
package deliver

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"net"
	"net/http"
	"time"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/dispatch"
)

// Defaults of a Config.
const (
	// DefaultReplyLimit fits a reply with 1 MiB of data (NATS's default max_payload) in base64.
	DefaultReplyLimit = 3 << 19
	// DefaultIdleTimeout is below the 5 s after which common servers (Node.js, uvicorn) close an
	// idle connection: a request at that moment fails without an answer, handled or not.
	DefaultIdleTimeout = 4 * time.Second
)

// connectTimeout bounds a new connection: half for name lookup and TCP, half for the TLS handshake.
// It is far above what a reachable host takes, and far below usual delivery timeouts.
const connectTimeout = 20 * time.Second

// Config tunes a Sender. A field of 0 takes its default.
type Config struct {
	// ReplyLimit bounds the body of a possible reply in bytes; a longer one is truncated.
	ReplyLimit int64
	// IdleTimeout is how long an idle connection is kept.
	IdleTimeout time.Duration
	// Dial connects; nil means the system's network. The simulator sets its own.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
}

func (c Config) withDefaults() Config {
	c.ReplyLimit = cmp.Or(c.ReplyLimit, DefaultReplyLimit)
	c.IdleTimeout = cmp.Or(c.IdleTimeout, DefaultIdleTimeout)
	if c.Dial == nil {
		c.Dial = (&net.Dialer{Timeout: connectTimeout / 2}).DialContext
	}
	return c
}

// Sender makes HTTP requests that carry events. All methods are safe for concurrent use.
type Sender struct {
	replyLimit int64
	transports *transports
}

var _ dispatch.Sender = (*Sender)(nil)

// New returns a Sender, which opens connections as needed; Close it.
func New(config Config) *Sender {
	config = config.withDefaults()
	return &Sender{replyLimit: config.ReplyLimit, transports: newTransports(config)}
}

// Close closes the idle connections; the others are closed as their requests end.
func (s *Sender) Close() { s.transports.close() }

// Send posts the event to the destination and returns the answer with any status, redirects
// included. The context bounds the exchange to the end of the body; Send adds only connectTimeout.
//
// A body that may be a reply (2xx except 202) is read up to the reply limit, any other up to 4 KiB,
// enough for an error text. Response.Err is set when there was no whole answer: ErrDestination or
// ErrCACerts for an unusable destination, ErrHeader for an event that HTTP cannot carry, the
// context's error, or a network error. Of the URL the error shows scheme, host and path only.
func (s *Sender) Send(ctx context.Context, request dispatch.Request) dispatch.Response {
	m, err := newMessage(request)
	if err != nil {
		return dispatch.Response{Err: err}
	}
	post := s.postSecurely
	if m.url.Scheme == "http" {
		post = s.postPlainly
	}
	response, err := post(ctx, m, request.To.CACerts)
	if err == nil {
		err = response.Err
	}
	if err != nil {
		response.Err = fmt.Errorf("POST %s: %w", withoutSecrets(m.url), err)
	}
	return response
}

// postPlainly posts over http, for which CA certificates do not matter.
func (s *Sender) postPlainly(ctx context.Context, m message, _ string) (dispatch.Response, error) {
	incoming, giveUp, err := s.transports.plain.exchange(ctx, m)
	if err != nil {
		return dispatch.Response{}, err
	}
	defer incoming.Body.Close()
	return receive(incoming, s.replyLimit, giveUp), nil
}

// postSecurely posts over https to a server that the system's CAs or these vouch for.
func (s *Sender) postSecurely(ctx context.Context, m message, caCerts string) (dispatch.Response, error) {
	transport, err := s.transports.secure(caCerts)
	if err != nil {
		return dispatch.Response{}, err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	outgoing, err := http.NewRequestWithContext(ctx, http.MethodPost, m.url.String(), bytes.NewReader(m.body))
	if err != nil {
		return dispatch.Response{}, fmt.Errorf("%w: its URL cannot be parsed", ErrDestination)
	}
	outgoing.Header = m.header
	incoming, err := transport.RoundTrip(outgoing)
	if err != nil {
		return dispatch.Response{}, err
	}
	defer incoming.Body.Close()
	return receive(incoming, s.replyLimit, cancel), nil
}
