package deliver_test

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/deliver"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/event"
)

// peer is a subscriber that handles raw connections. connections counts those accepted.
type peer struct {
	url         string
	connections atomic.Int32
}

// listen calls speak for each connection, and closes the connection when speak returns.
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

// A subscriber may answer early, or stop reading until its answer is read.
func TestAnswersBeforeTheEndOfTheRequestCount(t *testing.T) {
	const size = 64 << 20 // more than fits into the buffers between the two
	for _, test := range []struct {
		name       string
		speak      func(c net.Conn, r *http.Request, end <-chan struct{})
		wantStatus int
		wantBody   int
	}{
		{name: "and closes", wantStatus: 413, speak: func(c net.Conn, _ *http.Request, _ <-chan struct{}) {
			_, _ = io.WriteString(c, "HTTP/1.1 413 Request Entity Too Large\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
		}},
		{name: "and reads no more", wantStatus: 413, speak: func(c net.Conn, _ *http.Request, end <-chan struct{}) {
			_, _ = io.WriteString(c, "HTTP/1.1 413 Request Entity Too Large\r\nContent-Length: 0\r\n\r\n")
			<-end
		}},
		{name: "with what it reads", wantStatus: 200, wantBody: size, speak: func(c net.Conn, r *http.Request, end <-chan struct{}) {
			_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: "+strconv.Itoa(size)+"\r\n\r\n")
			_, _ = io.Copy(c, r.Body)
			<-end
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			end := make(chan struct{})
			defer close(end)
			p := listen(t, func(c net.Conn, requests *bufio.Reader) {
				if r, err := http.ReadRequest(requests); err == nil {
					test.speak(c, r, end)
				}
			})
			request := to(p.url)
			request.Event.Data = make([]byte, size)
			response := newSender(t, deliver.Config{ReplyLimit: 2 * size}).Send(t.Context(), request)
			if response.Err != nil || response.StatusCode != test.wantStatus || len(response.Body) != test.wantBody {
				t.Errorf("status %d, %d bytes, %v", response.StatusCode, len(response.Body), response.Err)
			}
		})
	}
}

func TestContextEndsAWriteThatHangs(t *testing.T) {
	end := make(chan struct{})
	defer close(end)
	p := listen(t, func(net.Conn, *bufio.Reader) { <-end })
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	request := to(p.url)
	request.Event.Data = make([]byte, 64<<20)
	if response := newSender(t, deliver.Config{}).Send(ctx, request); !errors.Is(response.Err, context.DeadlineExceeded) {
		t.Errorf("status %d, %v", response.StatusCode, response.Err)
	}
}

// No attribute or header of an event can add another HTTP header.
func TestHeadersThatHTTPCannotCarryAreRefused(t *testing.T) {
	s := serve(t, answer(200, ""))
	for name, change := range map[string]func(*event.Event){
		"an attribute's name": func(e *event.Event) { *e = e.With("x: 1\r\n\r\nPOST /admin HTTP/1.1", "1") },
		"a content type":      func(e *event.Event) { *e = e.With(event.DataContentType, "text/plain\r\nX: 1") },
		"a travelling header": func(e *event.Event) { e.Headers = []event.Header{{Name: "X-B3-Flags", Value: "1\nX: 1"}} },
	} {
		t.Run(name, func(t *testing.T) {
			request := to(s.URL)
			change(&request.Event)
			if response := newSender(t, deliver.Config{}).Send(t.Context(), request); !errors.Is(response.Err, deliver.ErrHeader) {
				t.Errorf("status %d, %v; want %v", response.StatusCode, response.Err, deliver.ErrHeader)
			}
		})
	}
	if got := s.requests.Load(); got != 0 {
		t.Errorf("%d requests", got)
	}
}

func TestIdleConnectionsAreReusedPerHost(t *testing.T) {
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
