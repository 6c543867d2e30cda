package main

import (
	"slices"
	"strings"
	"testing"
	"time"

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
	} {
		t.Run(what, func(t *testing.T) {
			var out strings.Builder
			what, wide := strings.CutSuffix(what, " wide")
			if err := show(&out, status(), shown{what: what, wide: wide, now: now}); err != nil {
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
