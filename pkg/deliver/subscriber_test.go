package deliver_test

import (
	"bytes"
	"encoding/pem"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/deliver"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/dispatch"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/event"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/route"
)

// subscriber is a test server that counts its requests and connections.
type subscriber struct {
	*httptest.Server
	requests, connections atomic.Int32
	closed                chan struct{} // one value per closed connection
}

// serve starts a subscriber; configure, if any, is called before it listens.
func serve(t testing.TB, handle http.HandlerFunc, configure ...func(*httptest.Server)) *subscriber {
	t.Helper()
	s := &subscriber{closed: make(chan struct{}, 1000)}
	s.Server = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.requests.Add(1)
		handle(w, r)
	}))
	s.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		switch state {
		case http.StateNew:
			s.connections.Add(1)
		case http.StateClosed:
			s.closed <- struct{}{}
		}
	}
	if len(configure) == 0 {
		s.Start()
	}
	for _, set := range configure {
		set(s.Server)
	}
	t.Cleanup(s.Close)
	return s
}

// caCerts returns the server's self-signed certificate in PEM form.
func (s *subscriber) caCerts() string {
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw}))
}

func newSender(t *testing.T, config deliver.Config) *deliver.Sender {
	t.Helper()
	sender := deliver.New(config)
	t.Cleanup(sender.Close)
	return sender
}

func to(url string) dispatch.Request {
	return dispatch.Request{To: route.Destination{URL: url}, Event: order(), Namespace: "shop"}
}

func order() event.Event {
	return event.Event{
		Attributes: []event.Attribute{
			{Name: event.SpecVersion, Value: "1.0"},
			{Name: event.ID, Value: "7"},
			{Name: event.Source, Value: "/orders"},
			{Name: event.Type, Value: "order.created"},
			{Name: event.Subject, Value: "größe"},
			{Name: event.DataContentType, Value: "application/json"},
		},
		Headers: []event.Header{{Name: "traceparent", Value: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"}},
		Data:    []byte(`{"n": 1 }`),
	}
}

// answer handles a request with this status and body.
func answer(status int, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}
}

// pour writes and flushes until so many bytes are written or the client is gone.
func pour(w io.Writer, total int64) {
	chunk := bytes.Repeat([]byte("x"), 64<<10)
	for total > 0 {
		n, err := w.Write(chunk)
		if err != nil {
			return
		}
		total -= int64(n)
	}
}
