package deliver_test

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/deliver"
)

func TestConnectionsAreReused(t *testing.T) {
	const sends = 10
	for _, test := range []struct {
		name            string
		status, length  int
		wantConnections int32
	}{
		{name: "no body", status: 202, wantConnections: 1},
		{name: "a reply", status: 200, length: 5000, wantConnections: 1},
		{name: "a failure with a page", status: 503, length: 10_000, wantConnections: 1},
		{name: "a truncated reply", status: 200, length: 60_000, wantConnections: 1},
		{name: "a failure too large to drain", status: 503, length: 4 << 20, wantConnections: sends},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := serve(t, answer(test.status, strings.Repeat("x", test.length)))
			sender := newSender(t, deliver.Config{ReplyLimit: 20_000})
			for range sends {
				if response := sender.Send(t.Context(), to(s.URL)); response.StatusCode != test.status {
					t.Fatalf("status %d, %v", response.StatusCode, response.Err)
				}
			}
			if got := s.connections.Load(); got != test.wantConnections {
				t.Errorf("%d connections, want %d", got, test.wantConnections)
			}
		})
	}
}

func TestIdleConnectionsAreClosed(t *testing.T) {
	t.Run("by Close", func(t *testing.T) {
		s := serve(t, answer(200, ""))
		secure := serve(t, answer(200, ""), (*httptest.Server).StartTLS)
		sender := newSender(t, deliver.Config{})
		request := to(secure.URL)
		request.To.CACerts = secure.caCerts()
		if err := errors.Join(sender.Send(t.Context(), to(s.URL)).Err, sender.Send(t.Context(), request).Err); err != nil {
			t.Fatal(err)
		}
		sender.Close()
		<-s.closed
		<-secure.closed
	})
	t.Run("after IdleTimeout", func(t *testing.T) {
		s := serve(t, answer(200, ""))
		sender := newSender(t, deliver.Config{IdleTimeout: 10 * time.Millisecond})
		if response := sender.Send(t.Context(), to(s.URL)); response.Err != nil {
			t.Fatal(response.Err)
		}
		<-s.closed
	})
}

func startHTTP2(s *httptest.Server) {
	s.EnableHTTP2 = true
	s.StartTLS()
}

func startOldTLS(s *httptest.Server) {
	s.TLS = &tls.Config{MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11} //nolint:gosec // the test is that it is refused
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	s.StartTLS()
}

func startQuietTLS(s *httptest.Server) {
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	s.StartTLS()
}

func TestTLS(t *testing.T) {
	for _, test := range []struct {
		name      string
		start     func(*httptest.Server)
		caCerts   func(*subscriber) string
		want      string // what the error says; empty: the event arrives
		wantIs    error
		wantProto int
	}{
		{name: "its own CA", start: (*httptest.Server).StartTLS, caCerts: (*subscriber).caCerts, wantProto: 1},
		{name: "HTTP/2 by ALPN", start: startHTTP2, caCerts: (*subscriber).caCerts, wantProto: 2},
		{name: "an unknown CA", start: startQuietTLS, caCerts: func(*subscriber) string { return "" }, want: "certificate"},
		{name: "no PEM", start: (*httptest.Server).StartTLS, caCerts: func(*subscriber) string { return "-----BEGIN" },
			want: "no certificate in PEM form", wantIs: deliver.ErrCACerts},
		{name: "TLS 1.1", start: startOldTLS, caCerts: (*subscriber).caCerts, want: "protocol version"},
	} {
		t.Run(test.name, func(t *testing.T) {
			proto := 0
			s := serve(t, func(_ http.ResponseWriter, r *http.Request) { proto = r.ProtoMajor }, test.start)
			request := to(s.URL)
			request.To.CACerts = test.caCerts(s)
			response := newSender(t, deliver.Config{}).Send(t.Context(), request)
			if test.want == "" {
				if response.Err != nil || proto != test.wantProto {
					t.Fatalf("HTTP/%d, %v; want HTTP/%d", proto, response.Err, test.wantProto)
				}
				return
			}
			if response.Err == nil || !strings.Contains(response.Err.Error(), test.want) {
				t.Fatalf("error %v, want one that says %q", response.Err, test.want)
			}
			if test.wantIs != nil && !errors.Is(response.Err, test.wantIs) {
				t.Errorf("error %v is not %v", response.Err, test.wantIs)
			}
		})
	}
}

// The error names what is wrong with a destination, and shows no secret of its URL.
func TestUnusableDestinations(t *testing.T) {
	gone := serve(t, answer(200, ""))
	gone.Close()
	refused := "http://user:secret@" + gone.Listener.Addr().String() + "/p?token=secret"
	for _, test := range []struct {
		name, url string
		want      string
		wantIs    error
	}{
		{name: "empty", url: "", want: "unsupported scheme", wantIs: deliver.ErrDestination},
		{name: "no scheme", url: "//host/p", want: "unsupported scheme", wantIs: deliver.ErrDestination},
		{name: "another scheme", url: "ftp://user:secret@host/p?token=secret", want: `ftp://host/p: unsupported scheme "ftp"`,
			wantIs: deliver.ErrDestination},
		{name: "opaque", url: "mailto:secret@host", want: "unsupported scheme", wantIs: deliver.ErrDestination},
		{name: "no host", url: "http:///p", want: "no host", wantIs: deliver.ErrDestination},
		{name: "port only", url: "http://:8080/p", want: "no host", wantIs: deliver.ErrDestination},
		{name: "unparsable", url: "http://user:se cret@host", want: "cannot be parsed", wantIs: deliver.ErrDestination},
		{name: "a password with a #", url: "http://user:secret#1@host", want: "cannot be parsed", wantIs: deliver.ErrDestination},
		{name: "unresolvable", url: "http://user:secret@no-such-host.invalid/p?token=secret", want: "no-such-host.invalid"},
		{name: "refused", url: refused, want: "refused"},
	} {
		t.Run(test.name, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
			defer cancel()
			response := newSender(t, deliver.Config{}).Send(ctx, to(test.url))
			if response.Err == nil || !strings.Contains(response.Err.Error(), test.want) {
				t.Fatalf("error %v, want one that says %q", response.Err, test.want)
			}
			if test.wantIs != nil && !errors.Is(response.Err, test.wantIs) {
				t.Errorf("error %v is not %v", response.Err, test.wantIs)
			}
			if message := response.Err.Error(); strings.Contains(message, "secret") || strings.Contains(message, "cret") {
				t.Errorf("the error shows a secret: %s", message)
			}
			if response.StatusCode != 0 {
				t.Errorf("status %d without a response", response.StatusCode)
			}
		})
	}
}
