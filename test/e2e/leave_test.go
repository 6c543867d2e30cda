package e2e

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// sender sends one event after the other, without a pause, by connections that are kept alive, until a request fails.
type sender struct {
	name, url string
	client    *http.Client
	// mayRepeat lets the client send a request again that the server has not taken, as the frames of HTTP/2 tell it.
	mayRepeat bool
	enough    chan struct{} // closed after some events

	accepted, lastOnes int
	latest             time.Time // of the last acceptance
	failed             time.Time
	why                error
}

// some is how many events a sender sends before anything happens.
const some = 20

func (s *sender) run(ctx context.Context) {
	for ctx.Err() == nil {
		fresh := false
		traced := httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{GotConn: func(i httptrace.GotConnInfo) { fresh = !i.Reused }})
		response, err := s.send(traced)
		if err != nil {
			s.failed, s.why = time.Now(), fmt.Errorf("by a connection of its own: %t: %w", fresh, err)
			return
		}
		response.Body.Close()
		if response.StatusCode != http.StatusAccepted {
			s.failed, s.why = time.Now(), fmt.Errorf("status %d", response.StatusCode)
			return
		}
		s.latest = time.Now()
		if response.Close {
			s.lastOnes++
		}
		if s.accepted++; s.accepted == some {
			close(s.enough)
		}
	}
}

func (s *sender) send(ctx context.Context) (*http.Response, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, s.url, strings.NewReader("{}"))
	if err != nil {
		return nil, err
	}
	request.Header = event("t", s.name)
	if !s.mayRepeat {
		request.GetBody = nil
	}
	return s.client.Do(request)
}

// checkRefusal wants a request to have failed only after the delay, and only because nobody takes a new connection. A connection
// that the kernel made and nobody took before the listener was closed is reset, and one that was taken just then is closed by
// net/http without an answer to its first request (conn.serve looks for the shutdown after it has read it); but no other one.
// That nothing of such a request is stored is in the number of events at the end.
func (s *sender) checkRefusal(t *testing.T, delayOver time.Time) {
	t.Helper()
	var dialling *net.OpError
	neverMade := errors.As(s.why, &dialling) && dialling.Op == "dial" // the reset may come while the connection is being made
	neverTaken := (errors.Is(s.why, syscall.ECONNRESET) || errors.Is(s.why, io.EOF)) &&
		(neverMade || strings.HasPrefix(s.why.Error(), "by a connection of its own: true"))
	switch {
	case s.failed.Before(delayOver):
		t.Errorf("%s is refused %s before the delay is over: %v", s.name, delayOver.Sub(s.failed), s.why)
	case !errors.Is(s.why, syscall.ECONNREFUSED) && !neverTaken:
		t.Errorf("%s ends by: %v", s.name, s.why)
	case s.latest.Before(delayOver.Add(-time.Second)):
		t.Errorf("%s was accepted last %s before the end of the delay", s.name, delayOver.Sub(s.latest))
	case !s.mayRepeat && s.lastOnes == 0:
		t.Errorf("%s was never asked to go elsewhere", s.name)
	}
}

// raw is a connection that the test reads and writes byte by byte.
type raw struct {
	net.Conn
	answers *bufio.Reader
}

func dialRaw(t *testing.T, address string) raw {
	t.Helper()
	conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	if err := conn.SetDeadline(time.Now().Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	return raw{conn, bufio.NewReader(conn)}
}

func (r raw) write(t *testing.T, text string) {
	t.Helper()
	if _, err := io.WriteString(r.Conn, text); err != nil {
		t.Fatal(err)
	}
}

// accepted reads an answer that has to be 202.
func (r raw) accepted(t *testing.T) {
	t.Helper()
	response, err := http.ReadResponse(r.answers, nil)
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	if response.StatusCode != http.StatusAccepted {
		t.Fatalf("status %d", response.StatusCode)
	}
}

// rawEvent is a request with a body of two bytes, of which the last is missing.
const rawEvent = "POST /default/default HTTP/1.1\r\nHost: ingress\r\nContent-Type: application/json\r\nContent-Length: 2\r\n" +
	"Ce-Specversion: 1.0\r\nCe-Type: t\r\nCe-Source: /e2e\r\nCe-Id: raw\r\n\r\n{"

// TestNobodyIsRefusedBeforeTheDelayIsOver ends an ingress under clients that go on sending, as those do that a load balancer has
// not taken away yet.
func TestNobodyIsRefusedBeforeTheDelayIsOver(t *testing.T) {
	t.Parallel()
	const delay = 3 * time.Second
	natsURL, listen := startNATS(t, manifest(brokerOf("default", ""))), "127.0.0.1:"+freePort(t)
	in, probes := startPart(t, built.ingress, natsURL, "--listen", listen, "--drain-delay", delay.String(), "--drain", "20s")
	transport := &http.Transport{}
	t.Cleanup(transport.CloseIdleConnections)
	url := "http://" + listen + "/default/default"
	senders := []*sender{
		{name: "one", url: url, client: &http.Client{Transport: transport}, enough: make(chan struct{})},
		{name: "two", url: url, client: &http.Client{Transport: transport}, enough: make(chan struct{})},
		{name: "HTTP/2", url: url, client: h2c(t), mayRepeat: true, enough: make(chan struct{})},
	}
	var sending sync.WaitGroup
	for _, s := range senders {
		sending.Go(func() { s.run(t.Context()) })
	}
	for _, s := range senders {
		select {
		case <-s.enough:
		case <-time.After(30 * time.Second):
			t.Fatalf("%s is not served", s.name)
		}
	}
	idle, slow := dialRaw(t, listen), dialRaw(t, listen)
	idle.write(t, rawEvent+"}")
	idle.accepted(t)

	delayOver := time.Now().Add(delay)
	if err := in.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	slow.write(t, rawEvent)
	eventually(t, delay, "it is no longer ready", func() error {
		if err := ready(probes)(); err == nil || err.Error() != "status 503" {
			return fmt.Errorf("ready: %w", err)
		}
		return nil
	})
	if _, err := idle.answers.ReadByte(); !errors.Is(err, io.EOF) || time.Now().Before(delayOver) {
		t.Errorf("the idle connection ends %s after the delay by %v", time.Since(delayOver), err)
	}
	sending.Wait()
	slow.write(t, "}") // a request that takes longer than the delay is answered all the same
	slow.accepted(t)
	if _, err := slow.answers.ReadByte(); !errors.Is(err, io.EOF) {
		t.Errorf("the slow connection ends by %v", err)
	}
	<-in.done
	if code := in.cmd.ProcessState.ExitCode(); code != 0 {
		t.Errorf("exit code %d", code)
	}
	accepted := 2
	for _, s := range senders {
		s.checkRefusal(t, delayOver)
		accepted += s.accepted
	}
	if rows := getFrom[brokerRow](t, "brokers", "--nats", natsURL); len(rows) != 1 || rows[0].Events != accepted {
		t.Errorf("%d events are accepted; stored: %+v", accepted, rows)
	}
}
