package ingress_test

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/ingress"
)

// unknownLength hides the length of a body, which is then sent in chunks.
type unknownLength struct{ io.Reader }

// outage is a Publisher that stores nothing until it ends.
func outage() *publisher {
	return &publisher{block: make(chan struct{}), started: make(chan struct{}, 10_000)}
}

// inUse is the memory that this process uses, in bytes.
func inUse() int64 {
	var stats runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&stats)
	return int64(stats.HeapAlloc + stats.StackInuse) //nolint:gosec // a process has less
}

// More small events wait for NATS at the same time than a limit on requests would let in.
func TestSmallEventsWaitInMemory(t *testing.T) {
	const events = 5000
	store := outage()
	config := configFor(store)
	config.Memory = events * 40 << 10
	const budget = ingress.Budget(5 * time.Minute) // 5,000 clients take their time to begin
	config.PublishTimeout = budget.Publish()
	address := serve(t, ingress.New(config), budget)
	c := client(t, "h2c")
	statuses := make(chan int, events)
	var posts sync.WaitGroup
	for range events {
		posts.Go(func() { statuses <- post(t, c, address, strings.Repeat("x", 500)).StatusCode })
	}
	for range events {
		select {
		case <-store.started:
		case status := <-statuses:
			t.Fatalf("status %d while others wait", status)
		}
	}
	close(store.block)
	posts.Wait()
	close(statuses)
	for status := range statuses {
		if status != http.StatusAccepted {
			t.Fatalf("status %d, want 202 for each", status)
		}
	}
}

// The bytes of all requests are bounded: requests beyond get 429, with or without a Content-Length.
func TestLargeBodiesAreBoundedTogether(t *testing.T) {
	const (
		size   = 1 << 20
		memory = 8 * size
		posts  = 40
	)
	for _, announced := range []bool{true, false} {
		t.Run(fmt.Sprintf("announced %t", announced), func(t *testing.T) {
			store := outage()
			config := configFor(store)
			config.Memory, config.MemoryWait = memory, time.Millisecond
			config.MaxEventBytes = func() int64 { return size }
			address := serve(t, ingress.New(config), 0)
			data := bytes.Repeat([]byte("x"), size)
			before := inUse()

			answers := make(chan response, posts)
			var senders sync.WaitGroup
			for range posts {
				senders.Go(func() {
					body := io.Reader(bytes.NewReader(data))
					if !announced {
						body = unknownLength{body}
					}
					answers <- do(t, client(t, "HTTP/1.1"), request(t, http.MethodPost, "http://"+address+"/default/orders", body, nil))
				})
			}
			waiting := 0
			for refused := 0; refused+waiting < posts; {
				select {
				case <-store.started:
					waiting++
				case answer := <-answers:
					refused++
					if answer.StatusCode != http.StatusTooManyRequests || answer.Header.Get("Retry-After") != "1" {
						t.Errorf("status %d, Retry-After %q; want 429, 1", answer.StatusCode, answer.Header.Get("Retry-After"))
					}
				}
			}
			const clients = 8 << 20 // what the clients of this test hold
			if grown := inUse() - before; grown > memory+clients {
				t.Errorf("%d bytes in use for %d bodies, want at most %d", grown, waiting, memory+clients)
			}
			if waiting == 0 || waiting > memory/size {
				t.Errorf("%d bodies wait, want some that fit into %d bytes", waiting, memory)
			}
			close(store.block)
			senders.Wait()
			for range waiting {
				if answer := <-answers; answer.StatusCode != http.StatusAccepted {
					t.Errorf("status %d for one that waited, want 202", answer.StatusCode)
				}
			}
			store.started = nil
			for range 2 * memory / size { // what was held is given back
				if answer := post(t, client(t, "HTTP/1.1"), address, string(data)); answer.StatusCode != http.StatusAccepted {
					t.Errorf("status %d afterwards, want 202", answer.StatusCode)
				}
			}
		})
	}
}

// A request larger than all of the memory gets 413, not 429.
func TestRequestLargerThanAllMemory(t *testing.T) {
	config := configFor(&publisher{})
	config.Memory, config.MemoryWait = 256<<10, time.Millisecond
	address := serve(t, ingress.New(config), 0)
	c := client(t, "HTTP/1.1")
	large := strings.Repeat("x", 300<<10)
	if answer := post(t, c, address, large); answer.StatusCode != http.StatusRequestEntityTooLarge {
		t.Errorf("announced: status %d, want 413", answer.StatusCode)
	}
	r := request(t, http.MethodPost, "http://"+address+"/default/orders", unknownLength{strings.NewReader(large)}, nil)
	if answer := do(t, c, r); answer.StatusCode != http.StatusRequestEntityTooLarge {
		t.Errorf("in chunks: status %d, want 413", answer.StatusCode)
	}
	members := make([]string, 200)
	for i := range members {
		members[i] = member(fmt.Sprint(i), "")
	}
	if answer := postBatch(t, c, address, batchOf(members...)); answer.StatusCode != http.StatusRequestEntityTooLarge {
		t.Errorf("a batch: status %d, want 413", answer.StatusCode)
	}
	if answer := postBatch(t, c, address, batchOf(members[:50]...)); answer.StatusCode != http.StatusAccepted {
		t.Errorf("a short batch: status %d, want 202", answer.StatusCode)
	}
}

// A request holds no more memory than counted. The clients of this test are bare connections.
func TestMemoryOfWaitingRequests(t *testing.T) {
	const (
		requests     = 300
		requestBytes = 32 << 10
	)
	store := outage()
	address := serve(t, ingress.New(configFor(store)), 0)
	var conns []net.Conn
	for range requests {
		conns = append(conns, dial(t, address))
	}
	before := inUse()
	for _, conn := range conns {
		if _, err := fmt.Fprint(conn, strings.Replace(stalledPost, "100\r\n\r\nabc", "500\r\n\r\n"+strings.Repeat("x", 500), 1)); err != nil {
			t.Fatal(err)
		}
		<-store.started
	}
	each := (inUse() - before) / requests
	t.Logf("%d bytes each", each)
	if each > requestBytes {
		t.Errorf("a request that waits holds %d bytes, want at most %d", each, requestBytes)
	}
	close(store.block)
	for _, conn := range conns {
		if answer, err := http.ReadResponse(bufio.NewReader(conn), nil); err != nil || answer.StatusCode != http.StatusAccepted {
			t.Fatal(answer, err)
		}
	}
}
