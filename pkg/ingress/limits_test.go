package ingress_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/ingress"
)

// endless is a body without end; taken counts the bytes read from it.
type endless struct{ taken atomic.Int64 }

func (e *endless) Read(p []byte) (int, error) {
	e.taken.Add(int64(len(p)))
	return len(p), nil
}

// fiveGB is what the client of TestHugeBody would like to send.
const fiveGB = 5_000_000_000

// A chunked body of 5 GB is refused at the limit, without the memory for it.
func TestHugeBody(t *testing.T) {
	send := map[string]func(t *testing.T, address string, body io.Reader) int{"HTTP/1.1": sendRaw, "h2c": sendStream}
	for _, protocol := range protocols() {
		t.Run(protocol, func(t *testing.T) {
			store, body := &publisher{}, &endless{}
			address := serve(t, ingress.New(configFor(store)), 0)

			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			status := send[protocol](t, address, io.LimitReader(body, fiveGB))
			runtime.ReadMemStats(&after)

			if status != http.StatusRequestEntityTooLarge || len(store.got()) != 0 {
				t.Errorf("status %d, %d stored; want 413 and none", status, len(store.got()))
			}
			const enough = 16 << 20 // the limit is 1 MiB; the rest is the test's client
			if grown := after.TotalAlloc - before.TotalAlloc; grown > enough {
				t.Errorf("%d bytes allocated", grown)
			}
			if taken := body.taken.Load(); taken > 64<<20 {
				t.Errorf("the server took %d bytes", taken)
			}
		})
	}
}

// sendRaw posts the body in chunks over HTTP/1.1 until the server hangs up, and returns the status.
func sendRaw(t *testing.T, address string, body io.Reader) int {
	conn := dial(t, address)
	fmt.Fprint(conn, strings.Replace(stalledPost, "Content-Length: 100\r\n\r\nabc", "Transfer-Encoding: chunked\r\n\r\n", 1))
	sent := make(chan error, 1)
	go func() {
		block := make([]byte, 64<<10)
		for {
			n, err := body.Read(block)
			if err == nil {
				_, err = fmt.Fprintf(conn, "%x\r\n%s\r\n", n, block[:n])
			}
			if err != nil {
				sent <- err
				return
			}
		}
	}()
	answer, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	_ = answer.Body.Close()
	if !answer.Close {
		t.Error("the server means to read on")
	}
	if err := <-sent; errors.Is(err, io.EOF) {
		t.Error("the server read it all")
	}
	return answer.StatusCode
}

// sendStream posts the body over h2c and returns the status.
func sendStream(t *testing.T, address string, body io.Reader) int {
	return do(t, client(t, "h2c"), request(t, http.MethodPost, "http://"+address+"/default/orders", body, nil)).StatusCode
}

// The server refuses what it can by the headers, before the client sends the body.
func TestRefusedBeforeTheBody(t *testing.T) {
	rows := []struct {
		name, path string
		length     int64
		wantStatus int
	}{
		{"too large by its Content-Length", "/default/orders", fiveGB, http.StatusRequestEntityTooLarge},
		{"unknown Broker", "/default/none", 1000, http.StatusNotFound},
		{"no slot left", "/default/orders", 1000, http.StatusTooManyRequests},
	}
	for _, protocol := range protocols() {
		for _, row := range rows {
			t.Run(row.name+" "+protocol, func(t *testing.T) {
				config := configFor(&publisher{})
				handler := http.Handler(ingress.New(config))
				if row.wantStatus == http.StatusTooManyRequests {
					handler = busy(t, config)
				}
				body := &endless{}
				r := request(t, http.MethodPost, "http://"+serve(t, handler, 0)+row.path, body, map[string]string{"Expect": "100-continue"})
				r.ContentLength = row.length
				answer := do(t, client(t, protocol), r)
				if answer.StatusCode != row.wantStatus || body.taken.Load() != 0 {
					t.Errorf("status %d after %d bytes, want %d after none", answer.StatusCode, body.taken.Load(), row.wantStatus)
				}
			})
		}
	}
}

// busy returns a handler whose only slot is taken until the test ends.
func busy(t *testing.T, config ingress.Config) *ingress.Handler {
	store := &publisher{block: make(chan struct{}), started: make(chan struct{}, 1), ended: make(chan error, 1)}
	config.Publisher, config.MaxInFlight = store, 1
	handler := ingress.New(config)
	address := serve(t, handler, 0)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		r := request(t, http.MethodPost, "http://"+address+"/default/orders", nil, nil).WithContext(ctx)
		if answer, err := client(t, "HTTP/1.1").Do(r); err == nil {
			_ = answer.Body.Close()
		}
	}()
	t.Cleanup(func() { cancel(); <-done })
	<-store.started
	return handler
}

func TestTooManyInFlight(t *testing.T) {
	address := serve(t, busy(t, configFor(nil)), 0)
	for _, protocol := range protocols() {
		answer := post(t, client(t, protocol), address, "x")
		if answer.StatusCode != http.StatusTooManyRequests || answer.Header.Get("Retry-After") != "1" || !strings.HasSuffix(answer.body, "in flight\n") {
			t.Errorf("%s: %d, Retry-After %q, body %q", protocol, answer.StatusCode, answer.Header.Get("Retry-After"), answer.body)
		}
	}
}

// A client that goes away ends its publish and gives its slot back.
func TestClientGoesAway(t *testing.T) {
	for _, protocol := range protocols() {
		t.Run(protocol, func(t *testing.T) {
			store := &publisher{block: make(chan struct{}), started: make(chan struct{}, 1), ended: make(chan error, 1)}
			config := configFor(store)
			config.MaxInFlight = 1
			address := serve(t, ingress.New(config), 0)
			c := client(t, protocol)
			ctx, cancel := context.WithCancel(t.Context())
			failed := make(chan error, 1)
			go func() {
				answer, err := c.Do(request(t, http.MethodPost, "http://"+address+"/default/orders", strings.NewReader("x"), nil).WithContext(ctx))
				if err == nil {
					_ = answer.Body.Close()
				}
				failed <- err
			}()
			<-store.started
			cancel()
			if err := <-failed; !errors.Is(err, context.Canceled) {
				t.Errorf("the client got %v", err)
			}
			if err := <-store.ended; !errors.Is(err, context.Canceled) {
				t.Errorf("the publish ended with %v, want context.Canceled", err)
			}
			close(store.block)
			store.started, store.ended = nil, nil
			waitForSlot(t, c, address)
		})
	}
}

// waitForSlot posts until the only slot is free: the handler gives it back just after the publish
// has ended.
func waitForSlot(t *testing.T, c *http.Client, address string) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); {
		switch status := post(t, c, address, "after").StatusCode; status {
		case http.StatusAccepted:
			return
		case http.StatusTooManyRequests:
		default:
			t.Fatalf("status %d", status)
		}
	}
	t.Fatal("the slot did not come back")
}

// A publish that hangs is given up after its timeout, and the answer still reaches the client.
func TestPublishTimeout(t *testing.T) {
	store := &publisher{block: make(chan struct{})}
	config := configFor(store)
	config.PublishTimeout = shortBudget.Publish() / 10
	answer := post(t, client(t, "HTTP/1.1"), serve(t, ingress.New(config), 0), "x")
	if answer.StatusCode != http.StatusServiceUnavailable || answer.Header.Get("Retry-After") == "" {
		t.Errorf("status %d, Retry-After %q", answer.StatusCode, answer.Header.Get("Retry-After"))
	}
}
