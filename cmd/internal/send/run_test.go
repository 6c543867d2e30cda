package send

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/event"
)

func TestContentModes(t *testing.T) {
	for _, test := range []struct {
		name         string
		mode         Mode
		count        int
		batchSize    int
		contentType  string
		wantRequests int
	}{
		{name: "binary", mode: Binary, count: 1, contentType: "application/json", wantRequests: 1},
		{name: "structured", mode: Structured, count: 1, contentType: "application/cloudevents+json", wantRequests: 1},
		{name: "batch, the last one short", mode: Batch, count: 5, batchSize: 2, contentType: "application/cloudevents-batch+json", wantRequests: 3},
	} {
		t.Run(test.name, func(t *testing.T) {
			ingress := newIngress(t)
			options := ingress.options()
			options.Mode, options.Count, options.BatchSize = test.mode, test.count, test.batchSize
			options.Event = Template{
				Type: "order.created", Source: "/shop", Subject: "Zürich, 100 %", ID: "order",
				Extensions: []event.Attribute{{Name: "zone", Value: "eu"}, {Name: "time", Value: "2026-01-02T03:04:05Z"}},
				Data:       []byte(`{"total":12}`),
			}
			report, err := Run(t.Context(), options)
			if err != nil || report.Err() != nil {
				t.Fatal(err, report.Err())
			}
			seen := ingress.seen()
			if report.Sent != test.count || report.Accepted != test.count {
				t.Errorf("report %v, want %d sent and accepted", report, test.count)
			}
			if len(seen.contentTypes) != test.wantRequests || !strings.HasPrefix(seen.contentTypes[0], test.contentType) {
				t.Errorf("content types %q, want %d beginning with %q", seen.contentTypes, test.wantRequests, test.contentType)
			}
			if len(seen.events) != test.count {
				t.Fatalf("%d events came in, want %d", len(seen.events), test.count)
			}
			for id, e := range seen.events {
				for _, want := range []event.Attribute{
					{Name: "specversion", Value: "1.0"}, {Name: "type", Value: "order.created"}, {Name: "source", Value: "/shop"},
					{Name: "subject", Value: "Zürich, 100 %"}, {Name: "zone", Value: "eu"}, {Name: "time", Value: "2026-01-02T03:04:05Z"},
					{Name: "datacontenttype", Value: "application/json"},
				} {
					if got := e.Attr(want.Name); got != want.Value {
						t.Errorf("event %s has %s %q, want %q", id, want.Name, got, want.Value)
					}
				}
				if string(e.Data) != `{"total":12}` {
					t.Errorf("event %s has data %s", id, e.Data)
				}
			}
		})
	}
}

func TestIDs(t *testing.T) {
	for _, test := range []struct {
		name  string
		id    string
		count int
		want  []string // nil: any, all different
	}{
		{name: "one event keeps the id", id: "a", count: 1, want: []string{"a"}},
		{name: "many events number it", id: "a", count: 3, want: []string{"a-1", "a-2", "a-3"}},
		{name: "generated", count: 200},
	} {
		t.Run(test.name, func(t *testing.T) {
			ingress := newIngress(t)
			options := ingress.options()
			options.Count, options.Connections, options.Event.ID = test.count, 8, test.id
			if _, err := Run(t.Context(), options); err != nil {
				t.Fatal(err)
			}
			seen := ingress.seen()
			if len(seen.events) != test.count {
				t.Errorf("%d different ids, want %d", len(seen.events), test.count)
			}
			for _, id := range test.want {
				if _, ok := seen.events[id]; !ok {
					t.Errorf("no event has the id %q", id)
				}
			}
		})
	}
}

func TestContentTypeIsGuessed(t *testing.T) {
	for data, want := range map[string]string{
		"": "", `{"a":1}`: "application/json", "hello": "text/plain; charset=utf-8", "\xff\x00": "application/octet-stream",
	} {
		e := Template{Data: []byte(data)}.withDefaults().event(0, 1, time.Now())
		if got := e.Attr(event.DataContentType); got != want {
			t.Errorf("data %q gets content type %q, want %q", data, got, want)
		}
	}
}

func TestRateSpreadsEvents(t *testing.T) {
	ingress := newIngress(t)
	options := ingress.options()
	options.Count, options.Rate, options.Connections = 20, 100, 4
	progress, mu := 0, sync.Mutex{}
	options.Progress = func(events int) { mu.Lock(); progress += events; mu.Unlock() }
	report, err := Run(t.Context(), options)
	if err != nil {
		t.Fatal(err)
	}
	// The last of 20 events is due 190 ms after the first.
	if report.Duration < 190*time.Millisecond || report.Accepted != 20 || progress != 20 {
		t.Errorf("report %v, progress %d; want 20 events in at least 190 ms", report, progress)
	}
}

func TestInterruptEndsTheRun(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	ingress := newIngress(t)
	options := ingress.options()
	options.Count, options.Rate = 1000, 0.1
	options.Progress = func(int) { cancel() }
	report, err := Run(ctx, options)
	if err != nil || report.Sent != 1 || report.Err() == nil {
		t.Errorf("error %v, report %v with error %v; want one event sent, and an error that says so", err, report, report.Err())
	}
}

func TestTimeoutIsNoAnswer(t *testing.T) {
	release := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-release }))
	defer server.Close()
	defer close(release)
	options := newIngress(t).options()
	options.To, options.Timeout = server.URL, 20*time.Millisecond
	report, err := Run(t.Context(), options)
	if err != nil || report.Refused[0] != 1 {
		t.Errorf("error %v, report %v; want no answer", err, report)
	}
}
