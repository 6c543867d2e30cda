package main

import (
	"slices"
	"strings"
	"testing"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/route"
)

// TestShow fixes the columns of the tables that get prints.
func TestShow(t *testing.T) {
	broker := route.Key{Kind: route.KindBroker, Namespace: "shop", Name: "default"}
	channel := route.Key{Kind: route.KindChannel, Namespace: "shop", Name: "orders"}
	target := func(address route.Key, name string) route.Target {
		return route.Target{
			Key: route.TargetKey{Address: address, Namespace: "shop", Name: name}, Subscriber: &route.Destination{URL: "http://a/"},
		}
	}
	status := func() jetstream.Status {
		return jetstream.Status{
			Addresses: []jetstream.AddressStatus{
				{Address: route.Address{Key: broker}, Ready: true, URL: "http://in/shop/default", Events: 3, Bytes: 900, DeadLetters: 1},
				{Address: route.Address{Key: channel}, Reason: "why"},
			},
			Targets: []jetstream.TargetStatus{
				{Target: target(broker, "pay"), Ready: true, Backlog: 7},
				{Target: target(channel, "ship"), Reason: "why"},
			},
		}
	}
	for what, want := range map[string][]string{
		"brokers": {
			"NAMESPACE NAME READY STORED BYTES DEAD LETTERS URL REASON",
			"shop default true 3 900 1 http://in/shop/default",
		},
		"channels": {
			"NAMESPACE NAME READY STORED BYTES DEAD LETTERS URL REASON",
			"shop orders false 0 0 0 why",
		},
		"triggers": {
			"NAMESPACE NAME BROKER READY BACKLOG SUBSCRIBER REASON",
			"shop pay default true 7 http://a/",
		},
		"subscriptions": {
			"NAMESPACE NAME CHANNEL READY BACKLOG SUBSCRIBER REASON",
			"shop ship orders false 0 http://a/ why",
		},
	} {
		t.Run(what, func(t *testing.T) {
			var out strings.Builder
			if err := show(&out, status(), shown{what: what}); err != nil {
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
