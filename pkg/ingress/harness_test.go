package ingress_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/ingress"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/route"
)

// publisher keeps the messages. With fail set it stores the first `stored` of them and then fails;
// with block set it waits for block, or for the end of the context.
type publisher struct {
	fail   error
	stored int
	block  chan struct{}
	// started and ended, when they are set, are told of each call and its outcome.
	started chan struct{}
	ended   chan error

	mu       sync.Mutex
	messages []ingress.Message
	to       []route.Key
}

func (p *publisher) Publish(ctx context.Context, to route.Address, messages []ingress.Message) (stored int, err error) {
	if p.ended != nil {
		defer func() { p.ended <- err }()
	}
	if p.started != nil {
		p.started <- struct{}{}
	}
	if p.block != nil {
		select {
		case <-p.block:
		case <-ctx.Done():
			return 0, fmt.Errorf("%w: %w", ingress.ErrUnavailable, ctx.Err())
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	stored = len(messages)
	if p.fail != nil {
		stored = p.stored
	}
	p.messages = append(p.messages, messages[:stored]...)
	p.to = append(p.to, to.Key)
	return stored, p.fail
}

// got returns what was stored so far.
func (p *publisher) got() []ingress.Message {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]ingress.Message(nil), p.messages...)
}

// addresses is a fixed set of Brokers, and the Channel default/orders.
type addresses map[string]route.Log

// channelHost is the host name of the Channel.
const channelHost = "orders-kn-jsm-channel.default.svc.cluster.local"

func channel() route.Address {
	return route.Address{Key: route.Key{Kind: route.KindChannel, Namespace: "default", Name: "orders"}, Hosts: []string{channelHost}}
}

func (a addresses) Host(host string) (route.Address, bool) { return channel(), host == channelHost }

func (a addresses) Address(key route.Key) (route.Address, bool) {
	if key == channel().Key {
		return channel(), true
	}
	log, ok := a[key.Namespace+"/"+key.Name]
	address := route.Address{Key: key, Log: log}
	if key.Name == "closed" {
		address.Refuse = whyClosed
	}
	if key.Name == "tls" {
		address.Refuse = route.NoHTTPS
	}
	return address, ok && key.Kind == route.KindBroker
}

// whyClosed is why the Broker default/closed and tls take no events.
const whyClosed = "an EventPolicy selects the Broker"

// brokers are the Brokers of every test: dedup de-duplicates, closed and tls take no events.
func brokers() addresses {
	return addresses{"default/orders": {}, "default/dedup": {DedupWindow: time.Minute}, "default/closed": {}, "default/tls": {}, "channels/odd": {}}
}

// configFor is a Config whose ids count up from id-1.
func configFor(p ingress.Publisher) ingress.Config {
	var mu sync.Mutex
	n := 0
	return ingress.Config{
		Addresses: brokers(),
		Publisher: p,
		Now:       func() time.Time { return time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC) },
		NewID: func() string {
			mu.Lock()
			defer mu.Unlock()
			n++
			return fmt.Sprintf("id-%d", n)
		},
	}
}

// serve runs the server on a loopback listener and returns host:port. A budget of 0 is the default.
func serve(t testing.TB, handler http.Handler, budget ingress.Budget) string {
	t.Helper()
	var config net.ListenConfig
	listener, err := config.Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := ingress.Server(handler, budget)
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(listener) }()
	t.Cleanup(func() {
		if err := server.Close(); err != nil {
			t.Error(err)
		}
		<-ended
	})
	return listener.Addr().String()
}

// client speaks one protocol only: "HTTP/1.1" or "h2c".
func client(t testing.TB, protocol string) *http.Client {
	t.Helper()
	var protocols http.Protocols
	protocols.SetHTTP1(protocol == "HTTP/1.1")
	protocols.SetUnencryptedHTTP2(protocol == "h2c")
	transport := &http.Transport{Protocols: &protocols, ExpectContinueTimeout: time.Minute}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport, Timeout: time.Minute}
}

// protocols are those that the server speaks.
func protocols() []string { return []string{"HTTP/1.1", "h2c"} }

// response is an answer with its body read.
type response struct {
	*http.Response
	body string
}

// do sends the request and reads the answer.
func do(t testing.TB, c *http.Client, r *http.Request) response {
	t.Helper()
	answer, err := c.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response{answer, string(body)}
}

// request is a binary-mode event with the given changes: a header set to "" is left out.
func request(t testing.TB, method, url string, body io.Reader, changes map[string]string) *http.Request {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, url, body)
	if err != nil {
		t.Fatal(err)
	}
	for name, value := range map[string]string{
		"Ce-Specversion": "1.0", "Ce-Id": "1", "Ce-Source": "/shop", "Ce-Type": "order.made", "Content-Type": "text/plain",
	} {
		r.Header.Set(name, value)
	}
	for name, value := range changes {
		r.Header.Set(name, value)
		if value == "" {
			r.Header.Del(name)
		}
	}
	return r
}

// post sends a binary-mode event to the Broker default/orders.
func post(t testing.TB, c *http.Client, address, body string) response {
	t.Helper()
	return do(t, c, request(t, http.MethodPost, "http://"+address+"/default/orders", strings.NewReader(body), nil))
}
