package deliver

import (
	"io"
	"net"
	"testing"
	"time"
)

// The sender notices what a peer did to an idle connection before it sends the next event.
func TestIdleConnectionsAreChecked(t *testing.T) {
	for _, test := range []struct {
		name string
		does func(peer net.Conn) error
		// keeps is set if the connection is used again.
		keeps bool
	}{
		{name: "nothing", does: func(net.Conn) error { return nil }, keeps: true},
		{name: "close", does: net.Conn.Close},
		{name: "send an unrequested response", does: func(peer net.Conn) error {
			_, err := io.WriteString(peer, "HTTP/1.1 400 Bad Request\r\n\r\n")
			return err
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			listener, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			defer listener.Close()
			address := listener.Addr().String()
			transport := newPlain(Config{IdleTimeout: time.Minute}.withDefaults())
			defer transport.CloseIdleConnections()
			first, err := transport.connection(t.Context(), address)
			if err != nil {
				t.Fatal(err)
			}
			peer, err := listener.Accept()
			if err != nil {
				t.Fatal(err)
			}
			defer peer.Close()
			transport.put(first)
			if err := test.does(peer); err != nil {
				t.Fatal(err)
			}
			tick := time.NewTicker(time.Millisecond)
			defer tick.Stop()
			for !test.keeps && first.isQuiet() { // until it has come through the network
				<-tick.C
			}
			second, err := transport.connection(t.Context(), address)
			if err != nil {
				t.Fatal(err)
			}
			defer second.close()
			if (second == first) != test.keeps {
				t.Errorf("the connection is used again: %t, want %t", second == first, test.keeps)
			}
		})
	}
}

func TestIdleConnectionsAreBounded(t *testing.T) {
	transport := newPlain(Config{IdleTimeout: time.Minute}.withDefaults())
	defer transport.CloseIdleConnections()
	var peers []net.Conn
	for range maxIdle + 1 {
		ours, peer := net.Pipe()
		peers = append(peers, peer)
		transport.put(newConn(transport, "host:80", ours))
	}
	if transport.size != maxIdle || len(transport.idle["host:80"]) != maxIdle {
		t.Errorf("%d idle connections are counted, %d kept, want %d", transport.size, len(transport.idle["host:80"]), maxIdle)
	}
	last := peers[maxIdle]
	if _, err := last.Read(make([]byte, 1)); err != io.EOF { //nolint:errorlint // a Reader says it so
		t.Errorf("one too many: %v, want that it is closed", err)
	}
}
