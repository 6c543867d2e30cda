package main

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"sigs.k8s.io/yaml"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/count"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/status"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/route"
)

// TestShow fixes the columns of the tables that get prints.
func TestShow(t *testing.T) {
	now := time.Now()
	broker := route.Key{Kind: route.KindBroker, Namespace: "shop", Name: "default"}
	channel := route.Key{Kind: route.KindChannel, Namespace: "shop", Name: "orders"}
	target := func(address route.Key, name string) route.Target {
		return route.Target{
			Key: route.TargetKey{Address: address, Namespace: "shop", Name: name}, Subscriber: &route.Destination{URL: "http://a/"},
		}
	}
	status := func() status.Status {
		return status.Status{
			Addresses: []status.AddressStatus{
				{Address: route.Address{Key: broker}, Ready: true, URL: "http://in/shop/default", Events: 3, Bytes: 900, DeadLetters: 1,
					Numbers: count.AddressNumbers{Accepted: 9, Unmatched: 4, Refused: map[string]uint64{"busy": 2, "invalid": 1}, Failures: []count.Failure{{At: now, Message: "no"}}},
					Targets: count.TargetNumbers{Delivered: 5, Retrying: 2}, Backlog: 7, Oldest: now.Add(-time.Hour)},
				{Address: route.Address{Key: channel}, Reason: "why"},
			},
			Targets: []status.TargetStatus{
				{Target: target(broker, "pay"), Ready: true, Backlog: 7, DeadLetters: 1, Oldest: now.Add(-time.Hour),
					Numbers: count.TargetNumbers{Delivered: 5, Retrying: 2, InFlight: 3, Parked: 6, Failed: map[string]uint64{"5xx": 8}, Failures: []count.Failure{{At: now, Message: "line\nbreak"}}}},
				{Target: target(channel, "ship"), Reason: "why"},
			},
		}
	}
	for what, want := range map[string][]string{
		"brokers": {
			"NAMESPACE NAME READY ACCEPTED DELIVERED UNMATCHED RETRYING DEAD BACKLOG OLDEST URL REASON",
			"shop default true 9 5 4 2 1 7 1h0m0s http://in/shop/default",
		},
		"brokers wide": {
			"NAMESPACE NAME READY ACCEPTED DELIVERED UNMATCHED RETRYING DEAD BACKLOG OLDEST URL REASON STORED BYTES REFUSED LAST FAILURE",
			"shop default true 9 5 4 2 1 7 1h0m0s http://in/shop/default 3 900 busy=2 invalid=1 0s ago: no",
		},
		"channels": {
			"NAMESPACE NAME READY ACCEPTED DELIVERED UNMATCHED RETRYING DEAD BACKLOG OLDEST URL REASON",
			"shop orders false 0 0 0 0 0 0 why",
		},
		"triggers": {
			"NAMESPACE NAME BROKER READY DELIVERED RETRYING DEAD BACKLOG OLDEST SUBSCRIBER REASON",
			"shop pay default true 5 2 1 7 1h0m0s http://a/",
		},
		"triggers wide": {
			"NAMESPACE NAME BROKER READY DELIVERED RETRYING DEAD BACKLOG OLDEST SUBSCRIBER REASON IN FLIGHT PARKED FAILED LAST FAILURE",
			`shop pay default true 5 2 1 7 1h0m0s http://a/ 3 6 5xx=8 0s ago: line\nbreak`,
		},
		"subscriptions": {
			"NAMESPACE NAME CHANNEL READY DELIVERED RETRYING DEAD BACKLOG OLDEST SUBSCRIBER REASON",
			"shop ship orders false 0 0 0 0 http://a/ why",
		},
		"brokers name":       {"broker/shop/default"},
		"channels name":      {"channel/shop/orders"},
		"triggers name":      {"trigger/shop/pay"},
		"subscriptions name": {"subscription/shop/ship"},
	} {
		t.Run(what, func(t *testing.T) {
			var out strings.Builder
			what, output, _ := strings.Cut(what, " ")
			if err := show(&out, status(), shown{what: what, output: output, now: now}); err != nil {
				t.Fatal(err)
			}
			var rows []string
			for line := range strings.Lines(out.String()) {
				rows = append(rows, strings.Join(strings.Fields(line), " "))
			}
			if !slices.Equal(rows, want) {
				t.Errorf("got\n%s", out.String())
			}
		})
	}
}

// TestYAMLIsTheSameAsJSON also where a number is larger than what a float holds.
func TestYAMLIsTheSameAsJSON(t *testing.T) {
	all := status.Status{
		Addresses: []status.AddressStatus{{
			Address: route.Address{Key: route.Key{Kind: route.KindBroker, Namespace: "shop", Name: "default"}, Log: route.Log{First: 1<<53 + 1}},
			Reason:  "<why>: \"a\"\n",
		}},
		Targets: []status.TargetStatus{{Target: route.Target{
			Key: route.TargetKey{Address: route.Key{Kind: route.KindBroker, Namespace: "shop", Name: "default"}, Namespace: "shop", Name: "true"}, After: 1<<53 + 1,
		}}},
	}
	for _, what := range []string{"brokers", "triggers", "channels"} {
		var asJSON, asYAML bytes.Buffer
		for output, out := range map[string]*bytes.Buffer{"json": &asJSON, "yaml": &asYAML} {
			copied := status.Status{Addresses: slices.Clone(all.Addresses), Targets: slices.Clone(all.Targets)}
			if err := show(out, copied, shown{what: what, output: output}); err != nil {
				t.Fatal(err)
			}
		}
		back, err := yaml.YAMLToJSON(asYAML.Bytes())
		if err != nil || strings.HasPrefix(asYAML.String(), asJSON.String()[:1]) && what != "channels" {
			t.Errorf("%s: error %v of\n%s", what, err, &asYAML)
		}
		if got, want := indented(t, back), indented(t, asJSON.Bytes()); got != want {
			t.Errorf("%s: the YAML is\n%s\nwant\n%s", what, got, want)
		}
	}
}

// indented is the document in one form, without a change of a number.
func indented(t *testing.T, document []byte) string {
	t.Helper()
	var value any
	decoder := json.NewDecoder(bytes.NewReader(document))
	decoder.UseNumber()
	if err := decoder.Decode(&value); err != nil {
		t.Fatal(err)
	}
	text, err := json.MarshalIndent(value, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
