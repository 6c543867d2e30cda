package deliver_test

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/deliver"
)

// peer is a subscriber that speaks to the connection itself. connections counts what it accepted.
type peer struct {
	url         string
	connections atomic.Int32
}

// listen lets speak have each connection, and closes it when speak returns.
func listen(t *testing.T, speak func(c net.Conn, requests *bufio.Reader)) *peer {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	p := &peer{url: "http://" + listener.Addr().String()}
	go func() {
		for {
			c, err := listener.Accept()
			if err != nil {
				return
			}
			p.connections.Add(1)
			go func() {
				defer c.Close()
				speak(c, bufio.NewReader(c))
			}()
		}
	}()
	return p
}

// readOne reads one request to its end.
func readOne(requests *bufio.Reader) bool {
	r, err := http.ReadRequest(requests)
	if err != nil {
		return false
	}
	_, err = io.Copy(io.Discard, r.Body)
	return err == nil
}

const accepted = "HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n"

func TestResponsesOnTheWire(t *testing.T) {
	for _, test := range []struct {
		name, answer    string
		wantStatus      int
		wantBody        string
		wantErr         string
		leaves          bool  // the peer closes the connection after its answer
		wantConnections int32 // for two events
	}{
		{name: "after others of the 1xx kind", answer: "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" + accepted,
			wantStatus: 202, wantConnections: 1},
		{name: "nothing but 1xx", answer: strings.Repeat("HTTP/1.1 102 Processing\r\n\r\n", 7), wantErr: "1xx", leaves: true, wantConnections: 2},
		{name: "in chunks", answer: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n1\r\nc\r\n0\r\nTrailer: x\r\n\r\n",
			wantStatus: 200, wantBody: "abc", wantConnections: 1},
		{name: "up to the connection's end", answer: "HTTP/1.0 200 OK\r\n\r\nabc", wantStatus: 200, wantBody: "abc", leaves: true, wantConnections: 2},
		{name: "that is the connection's last", answer: "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 3\r\n\r\nabc",
			wantStatus: 200, wantBody: "abc", wantConnections: 2},
		{name: "with more behind it", answer: accepted + accepted, wantStatus: 202, wantConnections: 2},
		{name: "of 204, which has no body", answer: "HTTP/1.1 204 No Content\r\n\r\n", wantStatus: 204, wantConnections: 1},
		{name: "no HTTP", answer: "220 mail.example ESMTP\r\n", wantErr: "malformed", leaves: true, wantConnections: 2},
		{name: "nothing", wantErr: "closed before a response", leaves: true, wantConnections: 2},
		{name: "half a header", answer: "HTTP/1.1 200 OK\r\nServer: x\r\n", wantErr: "closed before a response", leaves: true, wantConnections: 2},
	} {
		t.Run(test.name, func(t *testing.T) {
			p := listen(t, func(c net.Conn, requests *bufio.Reader) {
				for readOne(requests) {
					if _, err := io.WriteString(c, test.answer); err != nil || test.leaves {
						return
					}
				}
			})
			sender := newSender(t, deliver.Config{})
			for range 2 {
				response := sender.Send(t.Context(), to(p.url))
				if test.wantErr != "" {
					if response.Err == nil || !strings.Contains(response.Err.Error(), test.wantErr) {
						t.Fatalf("error %v, want one that says %q", response.Err, test.wantErr)
					}
					continue
				}
				if response.Err != nil || response.StatusCode != test.wantStatus || string(response.Body) != test.wantBody {
					t.Fatalf("status %d, body %q, %v", response.StatusCode, response.Body, response.Err)
				}
			}
			if got := p.connections.Load(); got != test.wantConnections {
				t.Errorf("%d connections, want %d", got, test.wantConnections)
			}
		})
	}
}

// A subscriber may refuse an event before it has read it.
func TestAnAnswerBeforeTheEndOfTheRequestCounts(t *testing.T) {
	p := listen(t, func(c net.Conn, requests *bufio.Reader) {
		if _, err := http.ReadRequest(requests); err != nil {
			return
		}
		_, _ = io.WriteString(c, "HTTP/1.1 413 Request Entity Too Large\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
	})
	request := to(p.url)
	request.Event.Data = make([]byte, 64<<20) // more than fits into the buffers between the two
	if response := newSender(t, deliver.Config{}).Send(t.Context(), request); response.StatusCode != 413 {
		t.Errorf("status %d, %v", response.StatusCode, response.Err)
	}
}

func TestIdleConnectionsAreForTheirOwnHostAlone(t *testing.T) {
	sender := newSender(t, deliver.Config{})
	one, other := serve(t, answer(200, "one")), serve(t, answer(200, "other"))
	for range 2 {
		for s, want := range map[*subscriber]string{one: "one", other: "other"} {
			if response := sender.Send(t.Context(), to(s.URL)); string(response.Body) != want {
				t.Errorf("body %q, want %q (%v)", response.Body, want, response.Err)
			}
		}
	}
	if a, b := one.connections.Load(), other.connections.Load(); a != 1 || b != 1 {
		t.Errorf("%d and %d connections, want one each", a, b)
	}
}
