package ingress_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"reflect"
	"strings"
	"testing"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/event"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/ingress"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/route"
)

// report is the JSON body of a refused batch, as a client reads it.
type report struct {
	Index     *int   `json:"index"`
	Attribute string `json:"attribute"`
	Stored    *int   `json:"stored"`
	Total     *int   `json:"total"`
	Error     string `json:"error"`
}

// member is one event of a batch, with more members given as JSON.
func member(id, more string) string {
	return fmt.Sprintf(`{"specversion":"1.0","id":%q,"source":"/shop","type":"order.made"%s}`, id, more)
}

func batchOf(members ...string) string { return "[" + strings.Join(members, ",") + "]" }

func TestBatch(t *testing.T) {
	number := func(n int) *int { return &n }
	full := &ingress.LogFullError{Address: route.Key{Kind: route.KindBroker, Namespace: "default", Name: "orders"}}
	rows := []struct {
		name   string
		body   string
		fail   error
		stored int // by the Publisher before it fails

		wantStatus int
		want       report // without Error
		wantError  string // a part of it
		wantStored int
		wantRetry  bool
	}{
		{name: "all stored", body: batchOf(member("a", ""), member("b", ""), member("c", "")), wantStatus: 202, wantStored: 3},
		{name: "empty", body: "[]", wantStatus: 202},
		{name: "one invalid", body: batchOf(member("a", ""), member("b", ""), member("", "")), wantStatus: 400,
			want: report{Index: number(2), Attribute: "id"}, wantError: "id"},
		{name: "the first invalid", body: batchOf(`{"specversion":"1.0","id":"a","type":"t"}`, member("b", "")), wantStatus: 400,
			want: report{Index: number(0), Attribute: "source"}, wantError: "source"},
		{name: "hop count used up", body: batchOf(member("a", ""), member("b", `,"knativebrokerttl":0`)), wantStatus: 400,
			want: report{Index: number(1)}, wantError: event.HopCount},
		{name: "attributes too large", body: batchOf(member("a", ""), member("b", `,"comment":"`+strings.Repeat("x", 66_000)+`"`)), wantStatus: 431,
			want: report{Index: number(1)}, wantError: "65535"},
		{name: "no array", body: `{"specversion":"1.0"}`, wantStatus: 400, wantError: "JSON"},
		{name: "cut off", body: batchOf(member("a", ""))[:30], wantStatus: 400, wantError: "JSON"},
		{name: "too many", body: batchOf(many(event.MaxBatchEvents + 1)...), wantStatus: 413, wantError: "batch"},
		{name: "too large", body: batchOf(member("a", `,"data":"`+strings.Repeat("x", int(ingress.DefaultMaxEventBytes))+`"`)), wantStatus: 413, wantError: "too large"},
		{name: "log full midway", body: batchOf(member("a", ""), member("b", ""), member("c", "")), fail: full, stored: 1, wantStatus: 507,
			want: report{Stored: number(1), Total: number(3)}, wantError: "broker default/orders", wantStored: 1, wantRetry: true},
		{name: "NATS away at once", body: batchOf(member("a", ""), member("b", "")), fail: ingress.ErrUnavailable, wantStatus: 503,
			want: report{Stored: number(0), Total: number(2)}, wantError: "unavailable", wantRetry: true},
	}
	c := client(t, "HTTP/1.1")
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			store := &publisher{fail: row.fail, stored: row.stored}
			address := serve(t, ingress.New(configFor(store)), 0)
			answer := postBatch(t, c, address, row.body)
			if answer.StatusCode != row.wantStatus || len(store.got()) != row.wantStored {
				t.Fatalf("status %d, %d stored; want %d, %d (body %q)", answer.StatusCode, len(store.got()), row.wantStatus, row.wantStored, answer.body)
			}
			if got := answer.Header.Get("Retry-After") != ""; got != row.wantRetry {
				t.Errorf("Retry-After given: %t, want %t", got, row.wantRetry)
			}
			if row.wantStatus != http.StatusAccepted {
				checkReport(t, answer, row.want, row.wantError)
			} else if answer.body != "" {
				t.Errorf("body %q, want none", answer.body)
			}
		})
	}
}

// checkReport compares the answer's report; wantError is part of the report's error.
func checkReport(t *testing.T, answer response, want report, wantError string) {
	t.Helper()
	got := decodeReport(t, answer)
	if !strings.Contains(got.Error, wantError) {
		t.Errorf("error %q does not say %q", got.Error, wantError)
	}
	got.Error = ""
	if !reflect.DeepEqual(got, want) {
		t.Errorf("report %q, want index %v attribute %q stored %v total %v", answer.body, want.Index, want.Attribute, want.Stored, want.Total)
	}
}

// many returns n small events.
func many(n int) []string {
	members := make([]string, n)
	for i := range members {
		members[i] = `{"specversion":"1.0","id":"1","source":"/s","type":"t"}`
	}
	return members
}

// postBatch sends the body to default/orders as a batch.
func postBatch(t *testing.T, c *http.Client, address, body string) response {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+address+"/default/orders", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/cloudevents-batch+json; charset=utf-8")
	return do(t, c, r)
}

// decodeReport reads the answer's JSON and refuses unknown members.
func decodeReport(t *testing.T, answer response) report {
	t.Helper()
	if kind := answer.Header.Get("Content-Type"); kind != "application/json" {
		t.Errorf("content type %q, want application/json", kind)
	}
	decoder := json.NewDecoder(strings.NewReader(answer.body))
	decoder.DisallowUnknownFields()
	var got report
	if err := decoder.Decode(&got); err != nil {
		t.Fatalf("body %q: %v", answer.body, err)
	}
	return got
}
