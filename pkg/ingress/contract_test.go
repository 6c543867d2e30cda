package ingress_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/event"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/ingress"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/route"
	"github.com/eventing-jetstream/eventing-jetstream/test/coded"
)

const structured = `{"specversion":"1.0","id":"1","source":"/shop","type":"order.made","data":{"n":1}}`

// contractRow is one request and its answer by the contract.
type contractRow struct {
	name   string
	method string // default POST
	path   string // default /default/orders
	header map[string]string
	body   string // default "hello"

	fail error // what the Publisher fails with

	wantStatus int
	wantHeader map[string]string
	wantBody   []string // parts of the body; none means that it is empty
	wantStored int
	wantData   string // of each event that is stored; not looked at when empty
}

// contract is the ingress table of the project's contract, row by row.
func contract() []contractRow {
	methods := map[string]string{"Allow": "POST, OPTIONS"}
	handshake := map[string]string{
		"Allow": "POST, OPTIONS", "Webhook-Allowed-Origin": "*", "Webhook-Allowed-Rate": "*",
	}
	inJSON := map[string]string{"Content-Type": "application/cloudevents+json", "Ce-Specversion": ""}
	holder := route.TargetKey{Namespace: "default", Name: "slow"}
	full := &ingress.LogFullError{Address: route.Key{Kind: route.KindBroker, Namespace: "default", Name: "orders"}, Holder: &holder}
	return []contractRow{
		{name: "binary 1.0", wantStatus: 202, wantStored: 1},
		{name: "binary 0.3", header: map[string]string{"Ce-Specversion": "0.3"}, wantStatus: 202, wantStored: 1},
		{name: "structured 1.0", header: inJSON, body: structured, wantStatus: 202, wantStored: 1},
		{name: "structured 0.3", header: inJSON, body: strings.Replace(structured, "1.0", "0.3", 1), wantStatus: 202, wantStored: 1},
		{name: "gzip", header: map[string]string{"Content-Encoding": "gzip"}, body: coded.Gzip("hello"), wantStatus: 202, wantStored: 1, wantData: "hello"},
		{name: "structured and gzip", header: map[string]string{"Content-Type": "application/cloudevents+json", "Ce-Specversion": "", "Content-Encoding": "gzip"},
			body: coded.Gzip(structured), wantStatus: 202, wantStored: 1, wantData: `{"n":1}`},
		{name: "batch and gzip", header: map[string]string{"Content-Type": "application/cloudevents-batch+json", "Ce-Specversion": "", "Content-Encoding": "gzip"},
			body: coded.Gzip("[" + structured + "," + structured + "]"), wantStatus: 202, wantStored: 2, wantData: `{"n":1}`},
		{name: "a gzip bomb", header: map[string]string{"Content-Encoding": "gzip"}, body: coded.Gzip(strings.Repeat("x", 32<<20)), wantStatus: 413, wantBody: []string{"too large"}},
		{name: "not gzip", header: map[string]string{"Content-Encoding": "gzip"}, wantStatus: 400, wantBody: []string{"Content-Encoding"}},
		{name: "another content coding", header: map[string]string{"Content-Encoding": "br"}, wantStatus: 415,
			wantHeader: map[string]string{"Accept-Encoding": "gzip, identity"}, wantBody: []string{`"br"`}},
		{name: "gzip twice, structured", header: map[string]string{"Content-Type": "application/cloudevents+json", "Ce-Specversion": "", "Content-Encoding": "GZIP, x-gzip"},
			body: coded.Gzip(coded.Gzip(structured)), wantStatus: 202, wantStored: 1, wantData: `{"n":1}`},
		{name: "gzip of several members", header: map[string]string{"Content-Encoding": "gzip"}, body: coded.Gzip("hel") + coded.Gzip("") + coded.Gzip("lo"),
			wantStatus: 202, wantStored: 1, wantData: "hello"},
		{name: "gzip and something behind", header: map[string]string{"Content-Encoding": "gzip"}, body: coded.Gzip("hello") + "x", wantStatus: 400, wantBody: []string{"Content-Encoding"}},
		{name: "gzip of nothing", header: map[string]string{"Content-Encoding": "gzip"}, body: "-", wantStatus: 202, wantStored: 1},
		{name: "identity", header: map[string]string{"Content-Encoding": "identity"}, wantStatus: 202, wantStored: 1, wantData: "hello"},
		{name: "a batch in gzip, larger once it is decoded", header: map[string]string{"Content-Type": "application/cloudevents-batch+json", "Ce-Specversion": "", "Content-Encoding": "gzip"},
			body: coded.Gzip("[" + strings.Repeat(" ", testLimit) + "]"), wantStatus: 413, wantBody: []string{"too large"}},
		{name: "structured in Latin-1", header: map[string]string{"Content-Type": "application/cloudevents+json; charset=iso-8859-1", "Ce-Specversion": ""}, body: structured,
			wantStatus: 415, wantHeader: map[string]string{"Accept-Encoding": ""}, wantBody: []string{"charset", "iso-8859-1"}},
		{name: "a batch in UTF-16", header: map[string]string{"Content-Type": "application/cloudevents-batch+json; charset=utf-16", "Ce-Specversion": ""}, body: "[]",
			wantStatus: 415, wantBody: []string{"charset", "utf-16"}},
		{name: "no body", body: "-", wantStatus: 202, wantStored: 1},
		{name: "trailing slash", path: "/default/orders/", wantStatus: 202, wantStored: 1},
		{name: "query is ignored", path: "/default/orders?x=1", wantStatus: 202, wantStored: 1},
		{name: "Broker in a namespace called channels", path: "/channels/odd", wantStatus: 202, wantStored: 1},

		{name: "OPTIONS", method: http.MethodOptions, wantStatus: 200, wantHeader: handshake},
		{name: "OPTIONS of no Broker", method: http.MethodOptions, path: "/", wantStatus: 200, wantHeader: handshake},
		{name: "GET", method: http.MethodGet, wantStatus: 405, wantHeader: methods, wantBody: []string{"POST"}},
		{name: "PUT to a malformed path", method: http.MethodPut, path: "/x", wantStatus: 405, wantHeader: methods, wantBody: []string{"POST"}},
		{name: "DELETE", method: http.MethodDelete, wantStatus: 405, wantHeader: methods, wantBody: []string{"POST"}},

		{name: "unknown Broker", path: "/default/none", wantStatus: 404, wantBody: []string{"default/none"}},
		{name: "unknown Broker and no event", path: "/default/none", header: map[string]string{"Ce-Id": ""}, wantStatus: 404, wantBody: []string{"default/none"}},
		{name: "root", path: "/", wantStatus: 404, wantBody: []string{"/{namespace}/{name}"}},
		{name: "one part", path: "/orders", wantStatus: 400, wantBody: []string{"/{namespace}/{name}"}},
		{name: "three parts", path: "/a/b/c", wantStatus: 400, wantBody: []string{"/{namespace}/{name}"}},
		{name: "two trailing slashes", path: "/default/orders//", wantStatus: 400, wantBody: []string{"/{namespace}/{name}"}},
		{name: "empty namespace", path: "//orders", wantStatus: 400, wantBody: []string{"/{namespace}/{name}"}},
		{name: "escaped slash", path: "/default%2Forders", wantStatus: 400, wantBody: []string{"/{namespace}/{name}"}},
		{name: "escaped letter", path: "/default/%6Frders", wantStatus: 404, wantBody: []string{"unknown Broker"}},
		{name: "Channel", path: "/channels/default/orders", wantStatus: 202, wantStored: 1},
		{name: "unknown Channel", path: "/channels/default/none", wantStatus: 404, wantBody: []string{"unknown Channel default/none"}},
		{name: "Channel without its name", path: "/channels/default", wantStatus: 404, wantBody: []string{"/channels/{namespace}/{name}"}},
		{name: "Channel with a segment too many", path: "/channels/default/orders/x", wantStatus: 400, wantBody: []string{"malformed path"}},
		{name: "reserved namespace", path: "/-/display", wantStatus: 404, wantBody: []string{"-/display"}},

		{name: "not a CloudEvent", header: map[string]string{"Ce-Specversion": ""}, wantStatus: 400, wantBody: []string{"not a CloudEvent"}},
		{name: "unknown version", header: map[string]string{"Ce-Specversion": "9"}, wantStatus: 400, wantBody: []string{"specversion"}},
		{name: "missing id", header: map[string]string{"Ce-Id": ""}, wantStatus: 400, wantBody: []string{`"id"`}},
		{name: "missing source", header: map[string]string{"Ce-Source": ""}, wantStatus: 400, wantBody: []string{`"source"`}},
		{name: "missing type", header: map[string]string{"Ce-Type": ""}, wantStatus: 400, wantBody: []string{`"type"`}},
		{name: "invalid time", header: map[string]string{"Ce-Time": "noon"}, wantStatus: 400, wantBody: []string{`"time"`}},
		{name: "structured without id", header: inJSON, body: strings.Replace(structured, `"id":"1",`, "", 1), wantStatus: 400, wantBody: []string{`"id"`}},
		{name: "structured, malformed", header: inJSON, body: structured[:20], wantStatus: 400, wantBody: []string{"JSON"}},
		{name: "hop count used up", header: map[string]string{"Ce-Knativebrokerttl": "0"}, wantStatus: 400, wantBody: []string{event.HopCount}},
		{name: "last hop", header: map[string]string{"Ce-Knativebrokerttl": "1"}, wantStatus: 400, wantBody: []string{event.HopCount}},
		{name: "hop count left", header: map[string]string{"Ce-Knativebrokerttl": "2"}, wantStatus: 202, wantStored: 1},

		{name: "too large", body: strings.Repeat("x", testLimit+1), wantStatus: 413, wantBody: []string{"too large"}},
		{name: "as large as allowed", body: strings.Repeat("x", testLimit), wantStatus: 202, wantStored: 1},
		{name: "too large with its attributes", fail: ingress.ErrEventTooLarge, wantStatus: 413, wantBody: []string{"size limit"}},
		{name: "too many attributes", header: map[string]string{"Ce-Comment": strings.Repeat("x", 66_000)}, wantStatus: 431, wantBody: []string{"65535"}},
		{name: "too many attributes for the store", fail: ingress.ErrAttributesTooLarge, wantStatus: 431, wantBody: []string{"65535"}},
		{name: "log full", fail: full, wantStatus: 507, wantHeader: map[string]string{"Retry-After": "10"}, wantBody: []string{"broker default/orders", "trigger default/slow"}},
		{name: "NATS away", fail: ingress.ErrUnavailable, wantStatus: 503, wantHeader: map[string]string{"Retry-After": "2"}, wantBody: []string{"unavailable"}},
	}
}

// testLimit is the size limit in the contract's test.
const testLimit = 200_000

func TestContract(t *testing.T) {
	for _, protocol := range protocols() {
		t.Run(protocol, func(t *testing.T) {
			c := client(t, protocol)
			for _, row := range contract() {
				t.Run(row.name, func(t *testing.T) { row.check(t, c) })
			}
		})
	}
}

// check sends the row's request to a fresh handler and compares the answer.
func (row contractRow) check(t *testing.T, c *http.Client) {
	store := &publisher{fail: row.fail}
	config := configFor(store)
	config.MaxEventBytes = func() int64 { return testLimit }
	address := serve(t, ingress.New(config), 0)

	answer := do(t, c, row.request(t, address))
	if answer.StatusCode != row.wantStatus {
		t.Fatalf("status %d, want %d (body %q)", answer.StatusCode, row.wantStatus, answer.body)
	}
	for name, value := range row.wantHeader {
		if got := answer.Header.Get(name); got != value {
			t.Errorf("header %s is %q, want %q", name, got, value)
		}
	}
	if len(row.wantBody) == 0 && answer.body != "" {
		t.Errorf("body %q, want none", answer.body)
	}
	if len(row.wantBody) > 0 && !strings.HasSuffix(answer.body, "\n") {
		t.Errorf("body %q does not end its line", answer.body)
	}
	for _, part := range row.wantBody {
		if !strings.Contains(answer.body, part) {
			t.Errorf("body %q does not say %q", answer.body, part)
		}
	}
	if got := len(store.got()); got != row.wantStored {
		t.Errorf("%d events stored, want %d", got, row.wantStored)
	}
	for _, m := range store.got() {
		if row.wantData != "" && string(m.Event.Data) != row.wantData {
			t.Errorf("stored %q, want %q", m.Event.Data, row.wantData)
		}
	}
}

// request builds the row's request.
func (row contractRow) request(t *testing.T, address string) *http.Request {
	method, path, body := row.method, row.path, row.body
	if method == "" {
		method = http.MethodPost
	}
	if path == "" {
		path = "/default/orders"
	}
	switch body {
	case "":
		body = "hello"
	case "-":
		body = ""
	}
	return request(t, method, "http://"+address+path, strings.NewReader(body), row.header)
}
