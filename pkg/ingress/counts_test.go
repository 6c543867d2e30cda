package ingress_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/count"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/ingress"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/route"
)

// countedAddresses are the addresses of every test, each with counts.
type countedAddresses struct {
	addresses
	counts *count.Address
}

func (a countedAddresses) Address(key route.Key) (route.Address, bool) {
	found, known := a.addresses.Address(key)
	found.Counts = a.counts // that of an unknown one is not to be counted
	return found, known
}

// Each request is counted once, at its address.
func TestCounts(t *testing.T) {
	const one = `{"specversion":"1.0","id":"1","source":"/s","type":"t"}`
	batch := "[" + one + "," + one + "," + one + "]"
	for _, test := range []struct {
		name, path, format, body string
		fail                     error
		want                     count.AddressNumbers
	}{
		{"one event", "/default/orders", "application/cloudevents+json", one, nil, count.AddressNumbers{Accepted: 1}},
		{"a batch", "/default/orders", "application/cloudevents-batch+json", batch, nil, count.AddressNumbers{Accepted: 3}},
		{"an empty batch", "/default/orders", "application/cloudevents-batch+json", "[]", nil, count.AddressNumbers{}},
		{"a part of a batch", "/default/orders", "application/cloudevents-batch+json", batch, ingress.ErrUnavailable,
			count.AddressNumbers{Accepted: 1, Refused: map[string]uint64{"unavailable": 2}}},
		{"a full log", "/default/orders", "application/cloudevents+json", one, &ingress.LogFullError{},
			count.AddressNumbers{Refused: map[string]uint64{"log-full": 1}}},
		{"no event", "/default/orders", "text/plain", one, nil, count.AddressNumbers{Refused: map[string]uint64{"invalid": 1}}},
		{"closed", "/default/closed", "application/cloudevents+json", one, nil, count.AddressNumbers{Refused: map[string]uint64{"forbidden": 1}}},
		{"only by https", "/default/tls", "application/cloudevents+json", one, nil, count.AddressNumbers{Refused: map[string]uint64{"not-served": 1}}},
		{"unknown", "/default/none", "application/cloudevents+json", one, nil, count.AddressNumbers{}},
	} {
		t.Run(test.name, func(t *testing.T) {
			store := &publisher{fail: test.fail}
			if test.want.Accepted > 0 {
				store.stored = 1
			}
			config := configFor(store)
			counts := &count.Address{}
			config.Addresses = countedAddresses{brokers(), counts}
			r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, test.path, strings.NewReader(test.body))
			r.Header.Set("Content-Type", test.format)
			answer := httptest.NewRecorder()
			ingress.New(config).ServeHTTP(answer, r)
			got := counts.Read(1)
			failures := got.Failures
			got.Failures = nil
			if !reflect.DeepEqual(got, test.want) {
				t.Errorf("status %d; counted %+v, want %+v", answer.Code, got, test.want)
			}
			if len(test.want.Refused) > 0 && (len(failures) != 1 || failures[0].Code != answer.Code || failures[0].Message == "") {
				t.Errorf("the last failure is %+v, want status %d with a text", failures, answer.Code)
			}
		})
	}
}

// The handler counts in the Counts of the table's address, found by path or by host.
func TestCountsOfATable(t *testing.T) {
	routes := table()
	handler := ingress.New(ingress.Config{Addresses: routes, Publisher: discard{}})
	for _, to := range []struct{ host, path string }{{"", "/default/orders"}, {"", "/channels/default/orders"}, {channelHost, "/"}} {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, to.path, strings.NewReader(`{"specversion":"1.0","id":"1","source":"/s","type":"t"}`))
		r.Host = to.host
		r.Header.Set("Content-Type", "application/cloudevents+json")
		handler.ServeHTTP(httptest.NewRecorder(), r)
	}
	got := map[string]string{}
	for key, a := range routes.Snapshot().Addresses {
		got[key.String()] = fmt.Sprint(a.Counts.Read(0).Accepted)
	}
	if want := map[string]string{"broker default/orders": "1", "channel default/orders": "2"}; !reflect.DeepEqual(got, want) {
		t.Errorf("accepted %v, want %v", got, want)
	}
}
