package owner

import (
	"context"
	"errors"
	"net"
	"strconv"
	"sync"
	"testing"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/ingress"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/internal/jstest"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/naming"
	"github.com/eventing-jetstream/eventing-jetstream/test/natstest"
)

// network is the way to a server, which can freeze: connections stay open, and nothing passes.
type network struct {
	t      *testing.T
	server string
	listen net.Listener
	ended  sync.WaitGroup

	mu     sync.Mutex
	conns  []net.Conn
	thawed chan struct{} // closed while it is not frozen
}

// between starts a network before a server. It ends with the test.
func between(t *testing.T, server *natstest.Server) *network {
	t.Helper()
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	jstest.Must(t, err)
	n := &network{t: t, server: server.URL()[len("nats://"):], listen: listener, thawed: make(chan struct{})}
	close(n.thawed)
	n.ended.Go(n.accept)
	t.Cleanup(func() { _ = listener.Close(); n.thaw(); n.ended.Wait() })
	return n
}

func (n *network) url() string { return "nats://" + n.listen.Addr().String() }

func (n *network) accept() {
	for {
		client, err := n.listen.Accept()
		if err != nil {
			return
		}
		var dialer net.Dialer
		server, err := dialer.DialContext(context.WithoutCancel(n.t.Context()), "tcp", n.server)
		if err != nil {
			_ = client.Close()
			continue
		}
		n.mu.Lock()
		n.conns = append(n.conns, client, server)
		n.mu.Unlock()
		n.ended.Go(func() { n.carry(server, client) })
		n.ended.Go(func() { n.carry(client, server) })
	}
}

func (n *network) carry(to, from net.Conn) {
	defer to.Close()
	block := make([]byte, 32<<10)
	for {
		n.mu.Lock()
		thawed := n.thawed
		n.mu.Unlock()
		<-thawed
		got, err := from.Read(block)
		if err != nil {
			return
		}
		if _, err := to.Write(block[:got]); err != nil {
			return
		}
	}
}

func (n *network) freeze() {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.thawed = make(chan struct{})
}

// thaw cuts the connections that were frozen, and lets new ones pass.
func (n *network) thaw() {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, c := range n.conns {
		_ = c.Close()
	}
	n.conns = nil
	select {
	case <-n.thawed:
	default:
		close(n.thawed)
	}
}

// When nothing passes any more, a publish is stuck in the middle of a write: it ends all the same.
func TestAPublishEndsWhenTheNetworkFreezes(t *testing.T) {
	t.Parallel()
	i := install(t)
	i.broker = brokerOf("orders", 256<<20)
	i.putBroker()
	way := between(t, i.server)
	c := dialURL(t, way.url(), naming.DefaultPrefix)
	p := publisherOf(t, c)
	large := func(id string) []ingress.Message {
		m := jstest.Message(id, "a")
		m.Event.Data = make([]byte, 900<<10)
		return []ingress.Message{m}
	}
	_, err := p.Publish(jstest.Context(t), i.broker, large("before"))
	jstest.Must(t, err)

	way.freeze()
	const events = 40 // more than the kernel keeps of what nobody reads
	published := make(chan error, events)
	for n := range events {
		go func() {
			_, err := p.Publish(soon(t), i.broker, large(strconv.Itoa(n)))
			published <- err
		}()
	}
	ended := 0
	jstest.Await(t, "all publishes end", func() bool {
		for {
			select {
			case err := <-published:
				ended++
				if !errors.Is(err, ingress.ErrUnavailable) {
					t.Errorf("error %v, want ErrUnavailable", err)
				}
			default:
				return ended == events
			}
		}
	})
	way.thaw()
	jstest.Await(t, "the client is back", c.Connected)
	_, err = p.Publish(jstest.Context(t), i.broker, large("after"))
	jstest.Must(t, err)
}
