package simulate

import (
	"context"
	"errors"
	"net"
	"sync"
)

var errDown = errors.New("the network is down")

// wires are the connections of one process, which a fault cuts together.
type wires struct {
	mu    sync.Mutex
	down  bool
	conns []net.Conn
}

// add gives a new connection to the process, unless the process is cut off.
func (w *wires) add(conn net.Conn, err error) (net.Conn, error) {
	if err != nil {
		return nil, err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.down {
		_ = conn.Close()
		return nil, errDown
	}
	w.conns = append(w.conns, conn)
	return conn, nil
}

// cut breaks all connections; while down there are no new ones.
func (w *wires) cut(down bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.down = down
	for _, conn := range w.conns {
		_ = conn.Close()
	}
	w.conns = nil
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

func (l *listener) dial(ctx context.Context) (net.Conn, error) {
	ours, theirs := net.Pipe()
	select {
	case l.conns <- theirs:
		return ours, nil
	case <-l.done:
		return nil, net.ErrClosed
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}
