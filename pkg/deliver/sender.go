// Package deliver sends events over HTTP. It makes one request per Send: no retries, no redirects, no cookies, no proxy.
//
// Proxy settings of the environment are not honoured: destinations are resolved addresses, mostly inside the cluster, and an event must not
// take another way because of a variable that was set for something else.
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
	// DefaultReplyLimit takes a reply with 1 MiB of data, NATS's default max_payload, also in base64 in the structured mode.
	DefaultReplyLimit = 3 << 19
	// DefaultIdleTimeout is below the 5 s after which common servers (Node.js, uvicorn) close an idle connection. A request
	// that meets this moment fails without an answer, and may or may not have been handled; so we close first.
	DefaultIdleTimeout = 4 * time.Second
)

// connectTimeout is the budget for a new connection: one half for name lookup and TCP, the other
// for the TLS handshake. A request whose context ends earlier does not wait for it. The budget is
// far above what a reachable host takes, and far below any delivery timeout in use.
const connectTimeout = 20 * time.Second

// Config tunes a Sender. A field of 0 takes its default.
type Config struct {
	// ReplyLimit is how many bytes of a possible reply are read; what is longer is truncated.
	ReplyLimit int64
	// IdleTimeout is how long an unused connection is kept.
	IdleTimeout time.Duration
	// Dial connects; nil is the system's network. The simulator has one of its own.
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

// New returns a Sender. It opens no connection; Close it to close those that Send leaves open.
func New(config Config) *Sender {
	config = config.withDefaults()
	return &Sender{replyLimit: config.ReplyLimit, transports: newTransports(config)}
}

// Close closes the connections that are idle. Those in use are closed as their requests end.
func (s *Sender) Close() { s.transports.close() }

// Send posts the event to the destination and returns the answer, whatever its status: a redirect
// is an answer too. The context bounds the whole exchange, to the end of the body; Send sets no
// timeout of its own but that for a new connection.
//
// A body that may be a reply (2xx except 202) is read up to the reply limit, any other up to 4 KiB, enough to tell why.
// Response.Err is set when there was no whole answer: ErrDestination or ErrCACerts for a destination that cannot be
// used, ErrHeader for an event that cannot be sent, the context's error when it ended, else what the network said. It shows of the URL only scheme, host and path.
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
		response.Err = fmt.Errorf("POST %s: %w", place(m.url), err)
	}
	return response
}

// postPlainly posts without TLS, which CA certificates have no part in.
func (s *Sender) postPlainly(ctx context.Context, m message, _ string) (dispatch.Response, error) {
	incoming, giveUp, err := s.transports.plain.exchange(ctx, m)
	if err != nil {
		return dispatch.Response{}, err
	}
	defer incoming.Body.Close()
	return receive(incoming, s.replyLimit, giveUp), nil
}

// postSecurely posts by HTTPS to a server that the system's CAs, or these, vouch for.
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
