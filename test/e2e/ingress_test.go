package e2e

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/eventing-jetstream/eventing-jetstream/test/coded"
)

// ingressWorld is a Broker with one Trigger that wants everything. Events that must not be stored have ids that begin so.
type ingressWorld struct {
	*laptop
	*subscriber
	accepted map[string]int // how often each id was accepted
}

const refusedPrefix = "refused"

// TestIngress goes through the ingress's table with one running program, and then counts what was delivered.
func TestIngress(t *testing.T) {
	s := subscribe(t, nil)
	b := brokerOf("default", "")
	w := ingressWorld{startLaptop(t, manifest(b, triggerOf(b, "all", s.URL+"/all"))), s, map[string]int{}}
	t.Run("takes events", w.takesEvents)
	t.Run("takes batches", w.takesBatches)
	t.Run("passes headers on", w.passesHeadersOn)
	t.Run("keeps Nats headers out", w.keepsNATSHeadersOut)
	t.Run("refuses what is no event", w.refusesNoEvents)
	t.Run("refuses batches whole", w.refusesBatchesWhole)
	t.Run("refuses what is too large", w.refusesTooLarge)
	t.Run("serves POST and OPTIONS at a Broker's path", w.servesPaths)
	t.Run("is not filled by endless bodies", w.isNotFilled)

	w.drained(t)
	delivered := map[string]int{}
	for _, v := range w.at("/all") {
		delivered[v.id()]++
	}
	for id, n := range w.accepted {
		if delivered[id] != n {
			t.Errorf("%s was accepted %d times and delivered %d times", id, n, delivered[id])
		}
		delete(delivered, id)
	}
	if len(delivered) > 0 {
		t.Errorf("delivered though it was not accepted: %v", delivered)
	}
}

// send posts to the Broker; what is accepted is to be delivered.
func (w ingressWorld) send(t *testing.T, c call, ids ...string) answered {
	t.Helper()
	if c.url == "" {
		c.url = w.url("/default/default")
	}
	got := c.do(t)
	if got.status == http.StatusAccepted {
		for _, id := range ids {
			w.accepted[id]++
		}
	}
	return got
}

func (w ingressWorld) takesEvents(t *testing.T) {
	data := []byte("{ \"tea\" : [1.0, \"\\u00e9\"],\n\"tea\":2 }") // no encoder of ours would write it so
	binary := []byte{0, 1, 0xff, '\r', '\n', 0}
	for i, c := range []struct {
		name   string
		client *http.Client
		path   string
		header http.Header
		body   string
		// want is what the subscriber gets, besides the event's type, source, and id.
		want     http.Header
		wantBody []byte
	}{
		{name: "binary 1.0", header: event("t", "ID"), body: string(data), wantBody: data},
		{name: "binary 0.3", header: event("t", "ID", "ce-specversion", "0.3", "ce-schemaurl", "/s"), body: "{}", wantBody: []byte("{}"),
			want: headers("ce-specversion", "0.3", "ce-schemaurl", "/s")},
		{name: "structured 1.0", header: headers("content-type", "application/cloudevents+json; charset=utf-8"),
			body:     `{"specversion":"1.0","type":"t","source":"/e2e","id":"ID","n":7,"ok":true,"data":` + string(data) + `,"datacontenttype":"application/json"}`,
			wantBody: data, want: headers("ce-n", "7", "ce-ok", "true", "content-type", "application/json")},
		{name: "structured 0.3", header: headers("content-type", "application/cloudevents+json"),
			body: `{"specversion":"0.3","type":"t","source":"/e2e","id":"ID","datacontentencoding":"base64","datacontenttype":"x/y","data":"` +
				base64.StdEncoding.EncodeToString(binary) + `"}`,
			wantBody: binary, want: headers("ce-specversion", "0.3", "content-type", "x/y")},
		{name: "structured base64", header: headers("content-type", "application/cloudevents+json"),
			body: `{"specversion":"1.0","type":"t","source":"/e2e","id":"ID","datacontenttype":"x/y","data_base64":"` +
				base64.StdEncoding.EncodeToString(binary) + `"}`,
			wantBody: binary, want: headers("content-type", "x/y")},
		{name: "structured text", header: headers("content-type", "application/cloudevents+json"),
			body:     `{"specversion":"1.0","type":"t","source":"/e2e","id":"ID","datacontenttype":"text/plain","data":"a\n\u20ac"}`,
			wantBody: []byte("a\n€"), want: headers("content-type", "text/plain")},
		{name: "bytes without a content type", header: without(event("t", "ID"), "content-type"), body: string(binary), wantBody: binary,
			want: headers("content-type", "")},
		{name: "no data", header: without(event("t", "ID"), "content-type")},
		{name: "percent-encoded attributes", header: event("t", "ID", "ce-subject", "%E2%82%AC%20%22x%22", "ce-time", "2026-01-02T03:04:05.678Z"),
			want: headers("ce-subject", "%E2%82%AC%20%22x%22", "ce-time", "2026-01-02T03:04:05.678Z")},
		{name: "odd types", header: event("a.*.>. %25 b/\\c", "ID"), want: headers("ce-type", "a.*.>. %25 b/\\c")},
		{name: "attributes that are not encoded", header: event("t", "ID", "ce-subject", "hello big world", "ce-ref", "group%2Fproject%ff"),
			want: headers("ce-subject", "hello big world", "ce-ref", "group%2Fproject%ff")},
		{name: "gzip", header: event("t", "ID", "content-encoding", "gzip"), body: coded.Gzip("{}"), wantBody: []byte("{}")},
		{name: "a trailing slash", path: "/default/default/", header: event("t", "ID")},
		{name: "h2c", client: h2c(t), header: event("t", "ID"), body: "{}", wantBody: []byte("{}")},
		{name: "nearly the size limit", header: event("t", "ID"), body: big(1<<20 - 8<<10), wantBody: []byte(big(1<<20 - 8<<10))},
		{name: "hop count above the limit", header: event("t", "ID", "ce-knativebrokerttl", "1000")},
		{name: "hop count garbage", header: event("t", "ID", "ce-knativebrokerttl", "many")},
		{name: "last hop", header: event("t", "ID", "ce-knativebrokerttl", "2")},
		{name: "an arrival time of its own", header: event("t", "ID", "ce-knativearrivaltime", "2001-01-01T00:00:00Z")},
	} {
		t.Run(c.name, func(t *testing.T) {
			id := fmt.Sprintf("event-%d", i)
			if c.header.Get("ce-id") != "" {
				c.header.Set("ce-id", id)
			}
			if c.path == "" {
				c.path = "/default/default"
			}
			began := time.Now()
			got := w.send(t, call{client: c.client, url: w.url(c.path), header: c.header,
				body: strings.NewReader(strings.Replace(c.body, `"id":"ID"`, `"id":"`+id+`"`, 1))}, id)
			if got.status != http.StatusAccepted || got.body != "" {
				t.Fatalf("status %d, want 202 without a body: %q", got.status, got.body)
			}
			if c.client != nil && got.proto != 2 {
				t.Errorf("HTTP/%d, want 2", got.proto)
			}
			v := w.getsEvent(t, "/all", id)
			if !bytes.Equal(v.body, c.wantBody) {
				t.Errorf("body %.200q, want %.200q", v.body, c.wantBody)
			}
			want := headers("ce-specversion", "1.0", "ce-type", "t", "ce-source", "/e2e", "ce-knativebrokerttl", "",
				"prefer", "reply", "kn-namespace", "default", "content-type", c.header.Get("content-type"))
			for name := range c.want {
				want.Set(name, c.want.Get(name))
			}
			wantHeaders(t, v, want)
			arrival, err := time.Parse(time.RFC3339Nano, v.header.Get("ce-knativearrivaltime"))
			if err != nil || arrival.Before(began.Add(-time.Second)) || arrival.After(v.at.Add(time.Second)) {
				t.Errorf("knativearrivaltime %q: %v", v.header.Get("ce-knativearrivaltime"), err)
			}
		})
	}
}

// wantHeaders compares the headers that are named; an empty one must not be there at all.
func wantHeaders(t *testing.T, v visit, want http.Header) {
	t.Helper()
	for name := range want {
		got, there := v.header[http.CanonicalHeaderKey(name)]
		if value := want.Get(name); strings.Join(got, "|") != value || there != (value != "") {
			t.Errorf("header %s is %q, want %q", name, got, value)
		}
	}
}

func (w ingressWorld) takesBatches(t *testing.T) {
	body := `[{"specversion":"1.0","type":"a","source":"/e2e","id":"batch-1","data":{"n" : 1}},
		{"specversion":"0.3","type":"b","source":"/e2e","id":"batch-2"}, {"specversion":"1.0","type":"a","source":"/e2e","id":"batch-3"}]`
	batch := headers("content-type", "application/cloudevents-batch+json")
	if got := w.send(t, call{header: batch, body: strings.NewReader(body)}, "batch-1", "batch-2", "batch-3"); got.status != http.StatusAccepted {
		t.Fatalf("status %d: %s", got.status, got.body)
	}
	if v := w.getsEvent(t, "/all", "batch-1"); string(v.body) != `{"n" : 1}` {
		t.Errorf("body %q", v.body)
	}
	w.getsEvent(t, "/all", "batch-2")
	w.getsEvent(t, "/all", "batch-3")
	if got := w.send(t, call{header: batch, body: strings.NewReader("[]")}); got.status != http.StatusAccepted {
		t.Errorf("an empty batch: status %d: %s", got.status, got.body)
	}
}

func (w ingressWorld) passesHeadersOn(t *testing.T) {
	passed := []string{
		"traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", "tracestate", "a=b", "x-request-id", "r-1",
		"knative-error-x", "y", "kn-custom", "z", "x-b3-traceid", "0af7651916cd43dd",
	}
	withheld := []string{"authorization", "Basic eDp5", "cookie", "a=b", "x-other", "1", "kn-namespace", "evil"}
	w.send(t, call{header: event("t", "headers", append(withheld, passed...)...)}, "headers")
	v := w.getsEvent(t, "/all", "headers")
	wantHeaders(t, v, headers(passed...))
	wantHeaders(t, v, headers("authorization", "", "cookie", "", "x-other", "", "kn-namespace", "default"))
}

// keepsNATSHeadersOut sends what would be commands to the NATS server: most of them would make it refuse the event.
func (w ingressWorld) keepsNATSHeadersOut(t *testing.T) {
	header := event("t", "nats", "nats-msg-id", "same", "nats-ttl", "1s", "nats-rollup", "all", "nats-expected-stream", "none",
		"nats-expected-last-sequence", "77", "nats-expected-last-msg-id", "none", "nats-schedule", "@at 2036-01-02T03:04:05Z")
	for range 2 {
		if got := w.send(t, call{header: header}, "nats"); got.status != http.StatusAccepted {
			t.Fatalf("status %d: %s", got.status, got.body)
		}
	}
	eventually(t, 10*time.Second, "both arrive", func() error {
		if n := len(w.of("/all", "nats")); n != 2 {
			return fmt.Errorf("%d of 2", n)
		}
		return nil
	})
	for name := range w.of("/all", "nats")[0].header {
		if strings.HasPrefix(name, "Nats-") {
			t.Errorf("%s came out", name)
		}
	}
}

func (w ingressWorld) refusesNoEvents(t *testing.T) {
	structured := headers("content-type", "application/cloudevents+json")
	refused := func(more ...string) http.Header { return event("t", refusedPrefix, more...) }
	for _, c := range []struct {
		name   string
		header http.Header
		body   string
		want   string // what the answer names
	}{
		{"no attributes", headers("content-type", "application/json"), "{}", "ce-specversion"},
		{"no id", without(refused(), "ce-id"), "{}", `"id"`},
		{"no source", without(refused(), "ce-source"), "{}", `"source"`},
		{"no type", without(refused(), "ce-type"), "{}", `"type"`},
		{"empty id", refused("ce-id", " "), "{}", `"id"`},
		{"unknown version", refused("ce-specversion", "2.0"), "{}", `"specversion"`},
		{"time", refused("ce-time", "yesterday"), "{}", `"time"`},
		{"source", refused("ce-source", "http://[x"), "{}", `"source"`},
		{"dataschema", refused("ce-dataschema", "relative"), "{}", `"dataschema"`},
		{"content type", refused("content-type", "text/plain; ="), "{}", `"datacontenttype"`},
		{"attribute name", refused("ce-not_legal", "x"), "{}", "Not_legal"},
		{"not UTF-8", refused("ce-subject", "\xff"), "{}", `"subject"`},
		{"not gzip", refused("content-encoding", "gzip"), "{}", "Content-Encoding"},
		{"twice", refused("ce-subject", "a", "ce-subject", "b"), "{}", `"subject"`},
		{"hops used up", refused("ce-knativebrokerttl", "0"), "{}", "knativebrokerttl"},
		{"last hop used up", refused("ce-knativebrokerttl", "1"), "{}", "knativebrokerttl"},
		{"no JSON", structured, `{"specversion":"1.0",`, "malformed"},
		{"no JSON object", structured, `[]`, "malformed"},
		{"structured without source", structured, `{"specversion":"1.0","type":"t","id":"refused"}`, `"source"`},
		{"structured name", structured, `{"specversion":"1.0","type":"t","source":"s","id":"refused","Upper":"x"}`, `"Upper"`},
		{"structured nested", structured, `{"specversion":"1.0","type":"t","source":"s","id":"refused","x":{}}`, `"x"`},
		{"other format", headers("content-type", "application/cloudevents+avro"), "x", "avro"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := w.send(t, call{header: c.header, body: strings.NewReader(c.body)}, refusedPrefix)
			if got.status != http.StatusBadRequest || !strings.Contains(got.body, c.want) {
				t.Errorf("status %d, want 400 with a body that names %s: %s", got.status, c.want, got.body)
			}
		})
	}
}

func (w ingressWorld) refusesBatchesWhole(t *testing.T) {
	good := `{"specversion":"1.0","type":"a","source":"/e2e","id":"refused-1"}`
	for _, c := range []struct {
		name, second, attribute string
		status                  int
	}{
		{"no source", `{"specversion":"1.0","type":"a","id":"refused-2"}`, "source", http.StatusBadRequest},
		{"no hops", `{"specversion":"1.0","type":"a","source":"/e2e","id":"refused-2","knativebrokerttl":1}`, "", http.StatusBadRequest},
		{"attributes too large", `{"specversion":"1.0","type":"a","source":"/e2e","id":"refused-2","x":"` + big(66_000) + `"}`, "",
			http.StatusRequestHeaderFieldsTooLarge},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := w.send(t, call{header: headers("content-type", "application/cloudevents-batch+json"),
				body: strings.NewReader("[" + good + "," + c.second + "," + good + "]")}, refusedPrefix)
			if got.status != c.status || got.header.Get("content-type") != "application/json" {
				t.Fatalf("status %d, want %d with JSON: %v %s", got.status, c.status, got.header, got.body)
			}
			var report struct {
				Index     *int
				Attribute string
			}
			if err := json.Unmarshal([]byte(got.body), &report); err != nil {
				t.Fatal(err)
			}
			if report.Index == nil || *report.Index != 1 || report.Attribute != c.attribute {
				t.Errorf("the answer is %s, want index 1 and attribute %q", got.body, c.attribute)
			}
		})
	}
}

func (w ingressWorld) refusesTooLarge(t *testing.T) {
	const limit = 1 << 20
	refused := event("t", refusedPrefix)
	for _, c := range []struct {
		name   string
		client *http.Client
		header http.Header
		body   io.Reader
		want   int
	}{
		{"announced", nil, refused, strings.NewReader(big(limit + 1)), http.StatusRequestEntityTooLarge},
		{"no room for the attributes", nil, refused, strings.NewReader(big(limit)), http.StatusRequestEntityTooLarge},
		{"announced over h2c", h2c(t), refused, strings.NewReader(big(limit + 1)), http.StatusRequestEntityTooLarge},
		{"structured", nil, headers("content-type", "application/cloudevents+json"), strings.NewReader(big(limit + 1)), http.StatusRequestEntityTooLarge},
		{"attributes", nil, event("t", refusedPrefix, "ce-x", big(66_000)), nil, http.StatusRequestHeaderFieldsTooLarge},
		{"attributes at the limit", nil, event("t", refusedPrefix, "ce-x", big(65_200)), nil, http.StatusRequestHeaderFieldsTooLarge},
		{"attributes over h2c", h2c(t), event("t", refusedPrefix, "ce-x", big(66_000)), nil, http.StatusRequestHeaderFieldsTooLarge},
		{"attributes that no server reads", nil, event("t", refusedPrefix, "ce-x", big(300_000)), nil, http.StatusRequestHeaderFieldsTooLarge},
		{"structured attributes", nil, headers("content-type", "application/cloudevents+json"),
			strings.NewReader(`{"specversion":"1.0","type":"t","source":"s","id":"refused","x":"` + big(66_000) + `"}`), http.StatusRequestHeaderFieldsTooLarge},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := w.send(t, call{client: c.client, header: c.header, body: c.body}, refusedPrefix)
			if got.status != c.want || got.body == "" {
				t.Errorf("status %d, want %d with a reason: %s", got.status, c.want, got.body)
			}
		})
	}
}

func (w ingressWorld) servesPaths(t *testing.T) {
	for _, c := range []struct {
		method, path string
		want         int
		wantHeader   http.Header
	}{
		{"OPTIONS", "/default/default", 200, headers("allow", "POST, OPTIONS", "webhook-allowed-origin", "*", "webhook-allowed-rate", "*")},
		{"GET", "/default/default", 405, headers("allow", "POST, OPTIONS")},
		{"HEAD", "/default/default", 405, headers("allow", "POST, OPTIONS")},
		{"PUT", "/default/default", 405, headers("allow", "POST, OPTIONS")},
		{"DELETE", "/default/default", 405, headers("allow", "POST, OPTIONS")},
		{"BREW", "/default/default", 405, headers("allow", "POST, OPTIONS")},
		{"POST", "/", 404, nil},
		{"POST", "", 404, nil},
		{"POST", "/default/none", 404, nil},
		{"POST", "/none/default", 404, nil},
		{"POST", "/default/defaul%74", 404, nil},
		{"POST", "/default", 400, nil},
		{"POST", "/default/", 400, nil},
		{"POST", "//default", 400, nil},
		{"POST", "/default//", 400, nil},
		{"POST", "/default/default//", 400, nil},
		{"POST", "/default/default/more", 400, nil},
		{"POST", "/channels/default/default", 404, nil},
		{"POST", "/channels/default/default/more", 400, nil},
	} {
		t.Run(c.method+" "+c.path, func(t *testing.T) {
			got := w.send(t, call{method: c.method, url: w.url(c.path), header: event("t", refusedPrefix)}, refusedPrefix)
			if got.status != c.want {
				t.Errorf("status %d, want %d: %s", got.status, c.want, got.body)
			}
			for name := range c.wantHeader {
				if got.header.Get(name) != c.wantHeader.Get(name) {
					t.Errorf("header %s: %q, want %q", name, got.header.Get(name), c.wantHeader.Get(name))
				}
			}
		})
	}
}
