package ingress_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/event"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/ingress"
)

// What is stored is what was posted: the same bytes, the attributes, the headers that travel, and
// an arrival time.
func TestStoredEvent(t *testing.T) {
	store := &publisher{}
	address := serve(t, ingress.New(configFor(store)), 0)
	body := "\x00\xff{not json}\r\n"
	answer := do(t, client(t, "HTTP/1.1"), request(t, http.MethodPost, "http://"+address+"/default/orders", strings.NewReader(body), map[string]string{
		"Ce-Subject": "caf%C3%A9", "Traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
		"X-Request-Id": "r1", "Nats-Rollup": "all", "Nats-Msg-Id": "mine", "Authorization": "Bearer secret",
	}))
	if answer.StatusCode != http.StatusAccepted {
		t.Fatalf("status %d: %s", answer.StatusCode, answer.body)
	}
	message := store.got()[0]
	e := message.Event
	if message.ID != "id-1" || string(e.Data) != body {
		t.Errorf("id %q, data %q", message.ID, e.Data)
	}
	for name, want := range map[string]string{
		event.SpecVersion: "1.0", event.ID: "1", event.Source: "/shop", event.Type: "order.made", event.Subject: "café",
		event.DataContentType: "text/plain", event.ArrivalTime: "2026-11-22T10:00:00Z",
	} {
		if got := e.Attr(name); got != want {
			t.Errorf("attribute %s is %q, want %q", name, got, want)
		}
	}
	headers := map[string]string{}
	for _, h := range e.Headers {
		headers[strings.ToLower(h.Name)] = h.Value
	}
	want := map[string]string{"traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", "x-request-id": "r1"}
	if fmt.Sprint(headers) != fmt.Sprint(want) {
		t.Errorf("headers %v, want %v", headers, want)
	}
}

// The id decides which copies are one: a request's own without de-duplication, source and id with
// it, never id alone.
func TestMessageIDs(t *testing.T) {
	const plain, dedup = "/default/orders", "/default/dedup"
	type sent struct{ path, source, id string }
	rows := []struct {
		name          string
		first, second sent
		wantSame      bool
	}{
		{"no window: the same event twice is two", sent{plain, "/a", "1"}, sent{plain, "/a", "1"}, false},
		{"window: the same source and id is one", sent{dedup, "/a", "1"}, sent{dedup, "/a", "1"}, true},
		{"window: another source is another", sent{dedup, "/a", "1"}, sent{dedup, "/b", "1"}, false},
		{"window: another id is another", sent{dedup, "/a", "1"}, sent{dedup, "/a", "2"}, false},
		{"window: source and id do not run together", sent{dedup, "/a1", "1"}, sent{dedup, "/a", "11"}, false},
	}
	c := client(t, "HTTP/1.1")
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			store := &publisher{}
			address := serve(t, ingress.New(configFor(store)), 0)
			for _, s := range []sent{row.first, row.second} {
				do(t, c, request(t, http.MethodPost, "http://"+address+s.path, nil, map[string]string{"Ce-Source": s.source, "Ce-Id": s.id}))
			}
			got := store.got()
			if len(got) != 2 || (got[0].ID == got[1].ID) != row.wantSame || got[0].ID == "" {
				t.Errorf("stored %v", got)
			}
		})
	}
}

func TestMessageIDsInABatch(t *testing.T) {
	store := &publisher{}
	config := configFor(store)
	config.NewID = nil
	address := serve(t, ingress.New(config), 0)
	c := client(t, "HTTP/1.1")
	seen := map[string]bool{}
	for range 2 {
		if answer := postBatch(t, c, address, batchOf(member("a", ""), member("a", ""), member("a", ""))); answer.StatusCode != http.StatusAccepted {
			t.Fatal(answer.body)
		}
	}
	for _, m := range store.got() {
		seen[m.ID] = true
	}
	if len(seen) != 6 {
		t.Errorf("%d ids for six events: %v", len(seen), seen)
	}
}
