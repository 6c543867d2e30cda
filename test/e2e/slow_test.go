package e2e

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"testing"
	"time"
)

// TestStalledClients holds connections open in the middle of a request: the server ends them.
func TestStalledClients(t *testing.T) {
	t.Parallel()
	l := startLaptop(t, manifest(brokerOf("default", "")))
	for _, c := range []struct {
		name, sent string
		within     time.Duration
		status     int // 0: the connection just ends
	}{
		{"in the headers", "POST /default/default HTTP/1.1\r\nHost: x\r\nce-", 10 * time.Second, 0},
		{"in the body", "POST /default/default HTTP/1.1\r\nHost: x\r\ncontent-length: 10\r\n\r\nabc", 20 * time.Second, http.StatusRequestTimeout},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", l.listen)
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			if err := conn.SetReadDeadline(time.Now().Add(c.within)); err != nil {
				t.Fatal(err)
			}
			if _, err := io.WriteString(conn, c.sent); err != nil {
				t.Fatal(err)
			}
			answer := bufio.NewReader(conn)
			if c.status != 0 {
				response, err := http.ReadResponse(answer, nil)
				if err != nil {
					t.Fatalf("no answer within %s: %v", c.within, err)
				}
				if response.StatusCode != c.status {
					t.Errorf("status %d, want %d", response.StatusCode, c.status)
				}
				_, _ = io.Copy(io.Discard, response.Body)
				response.Body.Close()
			}
			if rest, err := io.ReadAll(answer); err != nil {
				t.Errorf("the connection is open after %s: %q %v", c.within, rest, err)
			}
		})
	}
}

// TestSlowSubscriberGetsOneDelivery has a subscriber take longer than NATS waits for a filter that is silent (15 s).
func TestSlowSubscriberGetsOneDelivery(t *testing.T) {
	t.Parallel()
	s := subscribe(t, map[string]answers{"/slow": func(_ http.ResponseWriter, r *http.Request, _ int) {
		select {
		case <-time.After(20 * time.Second):
		case <-r.Context().Done():
		}
	}})
	b := brokerOf("default", "")
	l := startLaptop(t, manifest(b, triggerOf(b, "slow", s.URL+"/slow")))
	l.accepts(t, "/default/default", event("t", "1"), nil)
	s.getsEvent(t, "/slow", "1")
	l.drained(t)
	if n := len(s.at("/slow")); n != 1 {
		t.Errorf("%d deliveries, want 1", n)
	}
}

// TestDrainIsBounded interrupts the program while a subscriber hangs: it gives up after 30 s, at once when it is interrupted
// again, and the event comes after the next start.
func TestDrainIsBounded(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name       string
		interrupts int
		within     time.Duration
		code       int
	}{
		{"interrupted once", 1, 35 * time.Second, 0},
		{"interrupted twice", 2, 10 * time.Second, -1}, // ended by the signal
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			recovered := make(chan struct{})
			s := subscribe(t, map[string]answers{"/hangs": until(recovered, hangs)})
			b := brokerOf("default", "")
			l := startLaptop(t, manifest(b, triggerOf(b, "hangs", s.URL+"/hangs")))
			l.accepts(t, "/default/default", event("t", "1", "ce-extra", "kept"), nil)
			s.getsEvent(t, "/hangs", "1")
			for n := range c.interrupts {
				if err := l.cmd.Process.Signal(os.Interrupt); err != nil {
					t.Fatal(err)
				}
				if n == 0 {
					l.stops(t)
				}
			}
			select {
			case <-l.done:
			case <-time.After(c.within):
				t.Fatalf("the program runs %s after the interrupt", c.within)
			}
			if code := l.cmd.ProcessState.ExitCode(); code != c.code {
				t.Errorf("exit code %d, want %d", code, c.code)
			}
			close(recovered)
			l.start()
			began := time.Now()
			eventually(t, 30*time.Second, "the event comes again", func() error {
				if n := len(s.of("/hangs", "1")); n != 2 {
					return fmt.Errorf("%d requests", n)
				}
				return nil
			})
			t.Logf("the event came again %s after the start", time.Since(began))
			l.drained(t)
		})
	}
}

// stops waits until the program takes no more events out of the log, which it says by withdrawing its reports.
func (l *laptop) stops(t *testing.T) {
	t.Helper()
	eventually(t, 10*time.Second, "no Trigger is ready", func() error {
		for _, row := range get[triggerRow](t, l, "triggers") {
			if row.Ready {
				return fmt.Errorf("%+v", row)
			}
		}
		return nil
	})
}
