package ingress_test

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/ingress"
)

// shortBudget cuts a body off after 600 ms and an answer after 1.2 s.
const shortBudget = ingress.Budget(1200 * time.Millisecond)

const stalledPost = "POST /default/orders HTTP/1.1\r\nHost: x\r\nCe-Specversion: 1.0\r\nCe-Id: 1\r\nCe-Source: /s\r\nCe-Type: t\r\nContent-Length: 100\r\n\r\nabc"

// dial opens a connection whose own deadline is long after the server's.
func dial(t *testing.T, address string) net.Conn {
	t.Helper()
	var dialer net.Dialer
	conn, err := dialer.DialContext(t.Context(), "tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	if err := conn.SetDeadline(time.Now().Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	return conn
}

// The server cuts off a client that stops sending, and frees its slot.
func TestStalledClientIsCutOff(t *testing.T) {
	rows := []struct {
		name, sends string
		wantStatus  string // empty: the connection just ends
	}{
		{"nothing sent", "", ""},
		{"in the request line", "POST /default/or", ""},
		{"in the headers", "POST /default/orders HTTP/1.1\r\nHost: x\r\nCe-Id: 1\r\n", ""},
		{"in the body", stalledPost, "408 Request Timeout"},
		{"in a chunked body", strings.Replace(stalledPost, "Content-Length: 100\r\n\r\n", "Transfer-Encoding: chunked\r\n\r\n5\r\n", 1), "408 Request Timeout"},
		{"in the h2c preface", "PRI * HTTP/2.0\r\n\r\n", ""},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			config := configFor(&publisher{})
			config.MaxInFlight = 1
			address := serve(t, ingress.New(config), shortBudget)
			conn := dial(t, address)
			if _, err := io.WriteString(conn, row.sends); err != nil {
				t.Fatal(err)
			}
			got, err := io.ReadAll(conn)
			if errors.Is(err, os.ErrDeadlineExceeded) {
				t.Fatalf("the server still holds the connection: %v", err)
			}
			if row.wantStatus != "" && !strings.HasPrefix(string(got), "HTTP/1.1 "+row.wantStatus) {
				t.Errorf("answer %q, want %s", got, row.wantStatus)
			}
			if answer := post(t, client(t, "HTTP/1.1"), address, "after"); answer.StatusCode != http.StatusAccepted {
				t.Errorf("the next event got %d", answer.StatusCode)
			}
		})
	}
}

// In HTTP/2 one stalled stream is cut off while the connection lives on.
func TestStalledStreamIsCutOff(t *testing.T) {
	store := &publisher{}
	address := serve(t, ingress.New(configFor(store)), shortBudget)
	c := client(t, "h2c")
	stalled, hold := io.Pipe()
	defer hold.Close()
	answer := do(t, c, request(t, http.MethodPost, "http://"+address+"/default/orders", stalled, nil))
	if answer.StatusCode != http.StatusRequestTimeout || answer.ProtoMajor != 2 {
		t.Errorf("%s %d, want 408", answer.Proto, answer.StatusCode)
	}
	if answer := post(t, c, address, "after"); answer.StatusCode != http.StatusAccepted {
		t.Errorf("the next event got %d", answer.StatusCode)
	}
}

// A publish may last longer than the read timeout. A second client, which stalls after the first
// has sent its body, shows when the first client's read timeout has passed.
func TestReadTimeoutDoesNotEndAPublish(t *testing.T) {
	for _, protocol := range protocols() {
		t.Run(protocol, func(t *testing.T) {
			store := &publisher{block: make(chan struct{}), started: make(chan struct{}, 1)}
			address := serve(t, ingress.New(configFor(store)), shortBudget)
			answers := make(chan *http.Response, 1)
			go func() {
				defer close(answers)
				answer, err := client(t, protocol).Do(request(t, http.MethodPost, "http://"+address+"/default/orders", strings.NewReader("x"), nil))
				if err != nil {
					t.Error(err)
					return
				}
				_ = answer.Body.Close()
				answers <- answer
			}()
			<-store.started
			conn := dial(t, address)
			if _, err := io.WriteString(conn, stalledPost); err != nil {
				t.Fatal(err)
			}
			if _, err := http.ReadResponse(bufio.NewReader(conn), nil); err != nil {
				t.Fatal(err)
			}
			close(store.block)
			if answer := <-answers; answer == nil || answer.StatusCode != http.StatusAccepted {
				t.Errorf("answer %v, want 202", answer)
			}
		})
	}
}

// The shares of any budget nest.
func TestBudgetNests(t *testing.T) {
	for _, budget := range []ingress.Budget{ingress.DefaultBudget, shortBudget, ingress.Budget(time.Hour)} {
		t.Run(fmt.Sprint(time.Duration(budget)), func(t *testing.T) {
			if budget.ReadHeader() >= budget.Read() || budget.Read()+budget.Publish() >= budget.Write() {
				t.Errorf("headers %v, read %v, publish %v, write %v", budget.ReadHeader(), budget.Read(), budget.Publish(), budget.Write())
			}
		})
	}
	if got := ingress.DefaultBudget.Publish(); got != 10*time.Second {
		t.Errorf("a publish has %v, want 10s", got)
	}
	server := ingress.Server(http.NotFoundHandler(), 0)
	if server.ReadHeaderTimeout != 5*time.Second || server.ReadTimeout != 15*time.Second || server.WriteTimeout != 30*time.Second || server.MaxHeaderBytes <= 65_535 {
		t.Errorf("headers %v, read %v, write %v, %d header bytes", server.ReadHeaderTimeout, server.ReadTimeout, server.WriteTimeout, server.MaxHeaderBytes)
	}
}
