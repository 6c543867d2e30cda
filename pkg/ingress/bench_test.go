package ingress_test

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/ingress"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/route"
)

// discard stores nothing: the benchmark measures the ingress alone.
type discard struct{}

func (discard) Publish(_ context.Context, _ route.Address, messages []ingress.Message) (int, error) {
	return len(messages), nil
}

// answerWriter keeps the status only, so that the writer's own allocations are not counted.
type answerWriter struct {
	header http.Header
	status int
}

func (w *answerWriter) Header() http.Header         { return w.header }
func (w *answerWriter) Write(p []byte) (int, error) { return len(p), nil }
func (w *answerWriter) WriteHeader(status int)      { w.status = status }

// BenchmarkBinaryPost posts to a Broker, and to a Channel by path and by host.
func BenchmarkBinaryPost(b *testing.B) {
	for _, to := range []struct{ name, host, path string }{
		{"Broker", "", "/default/orders"}, {"Channel by path", "", "/channels/default/orders"}, {"Channel by host", channelHost + ":80", "/"},
	} {
		b.Run(to.name, func(b *testing.B) { benchmarkPost(b, to.host, to.path) })
	}
}

func benchmarkPost(b *testing.B, host, path string) {
	handler := ingress.New(ingress.Config{Addresses: table(), Publisher: discard{}})
	body := bytes.NewReader(make([]byte, 1024))
	r := httptest.NewRequestWithContext(b.Context(), http.MethodPost, path, body)
	r.Host = host
	for name, value := range map[string]string{
		"Ce-Specversion": "1.0", "Ce-Id": "1", "Ce-Source": "/shop", "Ce-Type": "order.made", "Ce-Time": "2026-11-22T10:00:00Z",
		"Content-Type": "application/json", "Traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
	} {
		r.Header.Set(name, value)
	}
	w := &answerWriter{header: http.Header{}}
	b.SetBytes(1024)
	b.ReportAllocs()
	for b.Loop() {
		_, _ = body.Seek(0, io.SeekStart)
		handler.ServeHTTP(w, r)
		if w.status != http.StatusAccepted {
			b.Fatal(w.status)
		}
	}
}

// table holds the Broker and the Channel default/orders.
func table() *route.Table {
	t := route.NewTable()
	broker, channel := route.Address{Key: route.Key{Kind: route.KindBroker, Namespace: "default", Name: "orders"}}, channel()
	t.Apply("broker", 1, route.Record{Address: &broker})
	t.Apply("channel", 2, route.Record{Address: &channel})
	return t
}
