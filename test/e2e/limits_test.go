package e2e

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// isNotFilled sends bodies without an end, several at a time, and looks at the most memory that the program ever had.
func (w ingressWorld) isNotFilled(t *testing.T) {
	const clients, bytes = 8, 200 << 20
	before := w.memory(t, "VmRSS")
	for name, client := range map[string]*http.Client{"HTTP/1.1": {Transport: &http.Transport{}}, "h2c": h2c(t)} {
		var sending sync.WaitGroup
		for range clients {
			sending.Go(func() {
				read := &counting{from: endless(bytes)}
				got, err := call{client: client, url: w.url("/default/default"), header: event("t", refusedPrefix), body: read}.try(t)
				if err != nil || got.status != http.StatusRequestEntityTooLarge {
					t.Errorf("%s: status %d, want 413: %v %s", name, got.status, err, got.body)
				}
				if taken := read.bytes.Load(); taken > bytes/4 {
					t.Errorf("%s: %d bytes of the body were taken", name, taken)
				}
			})
		}
		sending.Wait()
	}
	grown := w.memory(t, "VmHWM") - before
	t.Logf("%d bodies of %d MiB made the program grow by %d KiB", 2*clients, bytes>>20, grown)
	if grown > 96<<10 {
		t.Errorf("the program grew by %d KiB", grown)
	}
}

// memory is a line of the process's status, in KiB.
func (l *laptop) memory(t *testing.T, line string) int {
	t.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", l.cmd.Process.Pid))
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(status), "\n"+line+":")
	fields := strings.Fields(rest)
	if len(fields) == 0 {
		t.Fatalf("no %s in %s", line, status)
	}
	kib, err := strconv.Atoi(fields[0])
	if err != nil {
		t.Fatal(err)
	}
	return kib
}

// counting counts what is read of a body.
type counting struct {
	from  io.Reader
	bytes atomic.Int64 // the client may go on reading after it has the answer
}

func (c *counting) Read(p []byte) (int, error) {
	n, err := c.from.Read(p)
	c.bytes.Add(int64(n))
	return n, err
}

// TestIngressBounds runs the program with low limits.
func TestIngressBounds(t *testing.T) {
	s := subscribe(t, nil)
	b := brokerOf("default", "")
	l := startLaptop(t, manifest(b, triggerOf(b, "all", s.URL+"/all")), "--max-in-flight", "1", "--max-event-bytes", "1000")
	url := l.url("/default/default")

	l.accepts(t, "/default/default", event("t", "at-the-limit"), []byte(big(1000)))
	if got := (call{url: url, header: event("t", "over-the-limit"), body: strings.NewReader(big(1001))}).do(t); got.status != http.StatusRequestEntityTooLarge {
		t.Errorf("over the limit: status %d, want 413: %s", got.status, got.body)
	}

	l.stalls(t, func() {
		got := (call{url: url, header: event("t", "too-many")}).do(t)
		if got.status != http.StatusTooManyRequests || got.header.Get("retry-after") == "" {
			t.Errorf("a second request: status %d, want 429 with Retry-After: %v", got.status, got.header)
		}
	})
	l.breaksOff(t)
	eventually(t, 10*time.Second, "the request that broke off holds no slot", func() error {
		if got := (call{url: url, header: event("t", "after")}).do(t); got.status != http.StatusAccepted {
			return fmt.Errorf("status %d", got.status)
		}
		return nil
	})
	for _, id := range []string{"at-the-limit", "stalled", "after"} {
		s.getsEvent(t, "/all", id)
	}
	l.drained(t)
	for _, id := range []string{"over-the-limit", "too-many", "broken-off"} {
		if n := len(s.of("/all", id)); n != 0 {
			t.Errorf("%s is delivered", id)
		}
	}
}

// stalls sends the head of a request, waits until the server asks for the body, and sends that only after meanwhile.
func (l *laptop) stalls(t *testing.T, meanwhile func()) {
	t.Helper()
	conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", l.listen)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	_, err = io.WriteString(conn, "POST /default/default HTTP/1.1\r\nHost: x\r\nce-specversion: 1.0\r\nce-type: t\r\nce-source: /e2e\r\n"+
		"ce-id: stalled\r\ncontent-length: 4\r\nexpect: 100-continue\r\n\r\n")
	if err != nil {
		t.Fatal(err)
	}
	incoming := bufio.NewReader(conn)
	for i, want := range []int{http.StatusContinue, http.StatusAccepted} {
		response, err := http.ReadResponse(incoming, nil)
		if err != nil {
			t.Fatal(err)
		}
		response.Body.Close()
		if response.StatusCode != want {
			t.Fatalf("status %d, want %d", response.StatusCode, want)
		}
		if i > 0 {
			return
		}
		meanwhile()
		if _, err := io.WriteString(conn, "abcd"); err != nil {
			t.Fatal(err)
		}
	}
}

// breaksOff ends the connection in the middle of a body.
func (l *laptop) breaksOff(t *testing.T) {
	t.Helper()
	conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", l.listen)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	_, err = io.WriteString(conn, "POST /default/default HTTP/1.1\r\nHost: x\r\nce-specversion: 1.0\r\nce-type: t\r\nce-source: /e2e\r\n"+
		"ce-id: broken-off\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n")
	if err != nil {
		t.Fatal(err)
	}
}
