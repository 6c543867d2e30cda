package e2e

import (
	"context"
	"io"
	"net"
	"sync"
	"testing"
)

// linkState is what a link does with the bytes that it gets.
type linkState int

const (
	passing linkState = iota
	// stalled keeps them, as a network does that loses packets for a while: what was sent arrives when it is passing again.
	stalled
	// cut ends the connections, and lets none be made.
	cut
)

func (s linkState) String() string { return [...]string{"passing", "stalled", "cut"}[s] }

// link is a TCP proxy in front of one server.
type link struct {
	address, server string

	mu      sync.Mutex
	state   linkState
	changed chan struct{} // closed at every change of the state
	conns   map[net.Conn]bool
}

// startLink runs a link to the server until the test ends.
func startLink(t *testing.T, server string) *link {
	t.Helper()
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l := &link{address: listener.Addr().String(), server: server, changed: make(chan struct{}), conns: map[net.Conn]bool{}}
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() {
		for {
			client, err := listener.Accept()
			if err != nil {
				return // the test ends
			}
			running.Go(func() { l.connect(ctx, client) })
		}
	})
	t.Cleanup(func() {
		listener.Close()
		cancel()
		l.set(cut)
		running.Wait()
	})
	return l
}

func (l *link) set(s linkState) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.state = s
	close(l.changed)
	l.changed = make(chan struct{})
	if s == cut {
		for conn := range l.conns {
			conn.Close()
		}
	}
}

// connect carries both directions of a connection until one of them ends.
func (l *link) connect(ctx context.Context, client net.Conn) {
	defer client.Close()
	if !l.add(client) {
		return
	}
	defer l.remove(client)
	server, err := (&net.Dialer{}).DialContext(ctx, "tcp", l.server)
	if err != nil {
		return
	}
	defer server.Close()
	if !l.add(server) {
		return
	}
	defer l.remove(server)
	var directions sync.WaitGroup
	for _, d := range []struct{ from, to net.Conn }{{client, server}, {server, client}} {
		directions.Go(func() {
			l.carry(ctx, d.to, d.from)
			client.Close()
			server.Close()
		})
	}
	directions.Wait()
}

// carry copies; the end of the one side, too, reaches the other only while the link is passing.
func (l *link) carry(ctx context.Context, to io.Writer, from io.Reader) {
	buffer := make([]byte, 32<<10)
	for {
		n, readErr := from.Read(buffer)
		if !l.passes(ctx) || readErr != nil {
			return
		}
		if _, err := to.Write(buffer[:n]); err != nil {
			return
		}
	}
}

// passes waits until the link is passing; false when it is cut, or the test ends.
func (l *link) passes(ctx context.Context) bool {
	for {
		l.mu.Lock()
		state, changed := l.state, l.changed
		l.mu.Unlock()
		if state != stalled {
			return state == passing
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return false
		}
	}
}

// add is false when the link is cut.
func (l *link) add(conn net.Conn) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.state != cut {
		l.conns[conn] = true
	}
	return l.state != cut
}

func (l *link) remove(conn net.Conn) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.conns, conn)
}
