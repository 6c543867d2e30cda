package event_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/event"
)

// typical is a request as a Knative source sends it.
func typical() (http.Header, []byte) {
	h := header("Ce-Source", "/apis/v1/namespaces/default/pingsources/ping", "Ce-Type", "dev.knative.sources.ping",
		"Ce-Id", "6e8bc430-9c3a-11d9-9669-0800200c9a66", "Ce-Time", "2026-07-01T12:00:00.123456789Z", "Ce-Subject", "sub",
		"Content-Type", "application/json", "Content-Length", "1024", "User-Agent", "Go-http-client/1.1",
		"Traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")
	return h, make([]byte, 1024)
}

func typicalEvent(b *testing.B) event.Event {
	b.Helper()
	e, err := event.FromHTTP(typical())
	if err != nil {
		b.Fatal(err)
	}
	if e, err = event.Arrive(e, time.Now()); err != nil {
		b.Fatal(err)
	}
	return e
}

func BenchmarkFromHTTPBinary(b *testing.B) {
	h, body := typical()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := event.FromHTTP(h, body); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkFromHTTPStructured(b *testing.B) {
	body, _ := event.Structured(typicalEvent(b).With(event.DataContentType, "image/png"))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := event.FromHTTP(structuredHeader(), body); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkArrive(b *testing.B) {
	e, now := typicalEvent(b), time.Now()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := event.Arrive(e, now); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkToNATS(b *testing.B) {
	e := typicalEvent(b)
	b.ReportAllocs()
	for b.Loop() {
		event.ToNATS(e)
	}
}

func BenchmarkFromNATS(b *testing.B) {
	e := typicalEvent(b)
	h := event.ToNATS(e)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := event.FromNATS(h, e.Data); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkWriteHTTP(b *testing.B) {
	e := typicalEvent(b)
	b.ReportAllocs()
	for b.Loop() {
		event.WriteHTTP(e, make(http.Header, 16))
	}
}

func BenchmarkDecodeBatch(b *testing.B) {
	one, _ := event.Structured(typicalEvent(b).With(event.DataContentType, "image/png"))
	body := []byte("[" + strings.Repeat(string(one)+",", 99) + string(one) + "]")
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		if events, err := event.DecodeBatch(batchHeader(), body); err != nil || len(events) != 100 {
			b.Fatal(len(events), err)
		}
	}
}

func BenchmarkStructured(b *testing.B) {
	e := typicalEvent(b)
	b.ReportAllocs()
	for b.Loop() {
		event.Structured(e)
	}
}
