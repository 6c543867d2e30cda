package simulate

import (
	"context"
	"errors"
	"net"
	"sync"
	"time"
)

var errDown = errors.New("the network is down")

// wires are the connections of one process, which a fault cuts together.
type wires struct {
	name string

	// unlinked says that there is nothing between the process and NATS.
	unlinked bool

	mu sync.Mutex
	// delay is how long what is sent takes, in each direction.
	delay  time.Duration
	down   int // how many faults keep them down
	links  int // made with NATS so far
	conns  []net.Conn
	frozen [2]time.Time // until when nothing comes through, to NATS and from NATS
}

// add gives a new connection to the process, unless the process is cut off.
func (w *wires) add(conn net.Conn, err error) (net.Conn, error) {
	if err != nil {
		return nil, err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.down > 0 {
		_ = conn.Close()
		return nil, errDown
	}
	w.conns = append(w.conns, conn)
	return conn, nil
}

// cut breaks all connections, and there are no new ones until mend.
func (w *wires) cut() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.down++
	for _, conn := range w.conns {
		_ = conn.Close()
	}
	w.conns = nil
}

func (w *wires) mend() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.down--
}

// listener is a host of the network in memory.
type listener struct {
	conns chan net.Conn
	done  chan struct{}
	once  sync.Once
}

func newListener() *listener { return &listener{conns: make(chan net.Conn), done: make(chan struct{})} }

func (l *listener) Accept() (net.Conn, error) {
	select {
	case conn := <-l.conns:
		return conn, nil
	case <-l.done:
		return nil, net.ErrClosed
	}
}

func (l *listener) Close() error {
	l.once.Do(func() { close(l.done) })
	return nil
}

func (l *listener) Addr() net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)} }

// dial connects a process, whose name the host sees as the address of the other side.
func (l *listener) dial(ctx context.Context, from string) (net.Conn, error) {
	ours, theirs := net.Pipe()
	select {
	case l.conns <- named{theirs, name(from)}:
		return ours, nil
	case <-l.done:
		return nil, net.ErrClosed
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// named is a connection from a process of this name.
type named struct {
	net.Conn
	name name
}

func (n named) RemoteAddr() net.Addr { return n.name }

// name is the address of a process.
type name string

func (n name) Network() string { return "memory" }
func (n name) String() string  { return string(n) }
