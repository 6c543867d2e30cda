package main

import (
	"strings"
	"testing"
	"time"

	"github.com/eventing-jetstream/eventing-jetstream/cmd/internal/exitcode"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/count"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/filter"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/describe"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/status"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/manifest"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/route"
	"github.com/eventing-jetstream/eventing-jetstream/test/natstest"
)

// TestDescribe fixes what describe prints of an address and of a target.
func TestDescribe(t *testing.T) {
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	broker := route.Key{Kind: route.KindBroker, Namespace: "shop", Name: "default"}
	channel := route.Key{Kind: route.KindChannel, Namespace: "shop", Name: "orders"}
	pay := status.TargetStatus{
		Target: route.Target{
			Key: route.TargetKey{Address: broker, Namespace: "shop", Name: "pay"}, Owner: "run", Subscriber: &route.Destination{URL: "http://a/"},
			DeadLetter: &route.Destination{URL: "http://d/"}, Filter: filter.Spec{Filters: []filter.Expression{{CESQL: "n < 3"}}},
			Paused: "an\naudit", PausedSince: at,
		},
		Ready: true, Reason: "paused since 2026-01-02T03:04:05Z: an\naudit", Backlog: 7, DeadLetters: 1, Oldest: at.Add(-time.Hour),
		Numbers: count.TargetNumbers{
			Delivered: 5, InFlight: 3, Retrying: 2, Parked: 6, Failed: map[string]uint64{"5xx": 8, "timeout": 1},
			Failures: []count.Failure{{At: at, Code: 503, Event: "17", Message: "line\nbreak"}, {At: at, Message: "no answer"}},
		},
	}
	for _, test := range []struct {
		name string
		d    describe.Description
		want string
	}{
		{"a Broker", describe.Description{
			Address: &status.AddressStatus{
				Address: route.Address{
					Key: broker, Owner: "run", Paused: "an audit", Hosts: []string{"a", "b"}, DeadLetter: &route.Destination{URL: "http://d/"}, Notes: []string{"one", "two"},
				},
				Reason: "why", URL: "http://in/shop/default", DeadLetters: 4, Total: 900, TotalLimit: 1000, Backlog: 7, Oldest: at.Add(-time.Minute),
				Numbers: count.AddressNumbers{
					Accepted: 9, Unmatched: 4, Refused: map[string]uint64{"busy": 2}, Failures: []count.Failure{{At: at, Code: 429, Message: "later"}},
				},
				Targets: count.TargetNumbers{Delivered: 5, Failures: []count.Failure{{At: at, Code: 503, Event: "17", Message: "no"}}},
			},
			Targets: []status.TargetStatus{pay}, Since: at,
			Settings: []describe.Setting{{Name: "max-bytes", Value: "1000"}, {Name: "replicas", Value: "1", From: describe.FromDefault}},
			Streams: []describe.Stream{
				{Name: "kn_log", Use: describe.UseLog, Messages: 3, Bytes: 900, Limit: 1000, Consumers: []describe.Consumer{{Name: "shared", Pending: 2, Unacknowledged: 1, AckFloor: 17}}},
				{Name: "kn_directed", Use: describe.UseDirected},
			},
		}, `
Name: default
Namespace: shop
Kind: broker
Owner: run
Ready: false
Reason: why
Paused: an audit
URL: http://in/shop/default
Hosts: a b
Dead letter sink: http://d/
Notes: one; two
Counted since: 2026-01-02T03:04:05Z
Accepted: 9
Refused: busy=2
Unmatched: 4
Delivered: 5
In flight: 0
Retrying: 0
Parked: 0
Dead letters: 4
Backlog: 7
Oldest: 1m0s
Bytes: 900
Limit: 1000

Settings:
NAME VALUE FROM
max-bytes 1000
replicas 1 default

Streams:
NAME USE MESSAGES BYTES LIMIT
kn_log log 3 900 1000
kn_directed directed 0 0

Consumers:
STREAM NAME PENDING UNACKNOWLEDGED ACK FLOOR
kn_log shared 2 1 17

Triggers:
NAMESPACE NAME READY DELIVERED RETRYING DEAD BACKLOG SUBSCRIBER REASON
shop pay true 5 2 1 7 http://a/ paused since 2026-01-02T03:04:05Z: an\naudit

Last refused requests:
AT CODE EVENT MESSAGE
2026-01-02T03:04:05Z 429 later

Last failed attempts:
AT CODE EVENT MESSAGE
2026-01-02T03:04:05Z 503 17 no
`},
		{"a Trigger", describe.Description{Target: &pay}, `
Name: pay
Namespace: shop
Kind: trigger
Owner: run
Broker: shop/default
Ready: true
Reason: paused since 2026-01-02T03:04:05Z: an\naudit
Paused: since 2026-01-02T03:04:05Z: an\naudit
Subscriber: http://a/
Dead letter sink: http://d/
Filter: {"filters":[{"cesql":"n < 3"}]}
Delivered: 5
Failed: 5xx=8 timeout=1
In flight: 3
Retrying: 2
Parked: 6
Dead letters: 1
Backlog: 7
Oldest: 1h0m0s

Last failed attempts:
AT CODE EVENT MESSAGE
2026-01-02T03:04:05Z 503 17 line\nbreak
2026-01-02T03:04:05Z no answer
`},
		{"a Subscription that is in no file", describe.Description{Target: &status.TargetStatus{
			Target: route.Target{
				Key: route.TargetKey{Address: channel, Namespace: "shop", Name: "uid"}, Name: "ship", Owner: "run", NotReady: manifest.InNoFile,
				Reply: &route.Destination{URL: "http://r/"},
			},
			Reason: manifest.InNoFile,
		}}, `
Name: ship
Namespace: shop
Kind: subscription
Owner: run
Channel: shop/orders
Ready: false
Reason: ` + manifest.InNoFile + `; to delete it: kn-jetstream delete subscription ship -n shop
Reply: http://r/
Delivered: 0
In flight: 0
Retrying: 0
Parked: 0
Dead letters: 0
Backlog: 0
`},
		{"a Channel with nothing", describe.Description{Address: &status.AddressStatus{Address: route.Address{Key: channel}, Ready: true}}, `
Name: orders
Namespace: shop
Kind: channel
Ready: true
Accepted: 0
Unmatched: 0
Delivered: 0
In flight: 0
Retrying: 0
Parked: 0
Dead letters: 0
Backlog: 0
Bytes: 0
`},
	} {
		t.Run(test.name, func(t *testing.T) {
			var out, got strings.Builder
			page{out: &out, now: at}.show(test.d)
			for line := range strings.Lines(out.String()) {
				got.WriteString(strings.Join(strings.Fields(line), " ") + "\n")
			}
			if "\n"+got.String() != test.want {
				t.Errorf("got\n%s", &out)
			}
		})
	}
}

func TestDescribeBeforeTheFirstApplyFindsNothing(t *testing.T) {
	nats := natstest.Start(t, nil)
	_, err := execute(t, "describe", "channel", "orders", "-n", "shop", "--nats", nats.URL())
	if err == nil || exitcode.Of(err) != exitcode.Failed || err.Error() != "channel shop/orders: not found" {
		t.Errorf("error %v with the exit code %d", err, exitcode.Of(err))
	}
}
