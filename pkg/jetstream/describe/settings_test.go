package describe

import (
	"slices"
	"testing"
	"time"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/delivery"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/owner"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/status"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/route"
)

// lines are a name, a value, and where that comes from, if anybody can tell.
func lines(all []Setting) (lines []string) {
	for _, s := range all {
		line := s.Name + " " + s.Value
		if s.From != "" {
			line += " <- " + s.From
		}
		lines = append(lines, line)
	}
	return lines
}

func TestSettingsOfAnAddress(t *testing.T) {
	full := route.Log{
		MaxBytes: 1000, DeadLetterMaxBytes: 70, DeadLetterMaxAge: time.Minute, DiscardOldLetters: true, Replicas: 3, Memory: true, History: time.Hour, DedupWindow: time.Minute, MaxConsumers: 9,
		Placement: route.Placement{Cluster: "east", Tags: "ssd,big"}, Subjects: []string{"a.>", "b"},
	}
	for _, test := range []struct {
		name   string
		kind   route.Kind
		owner  string
		log    route.Log
		paused bool
		want   []string
	}{
		{"nothing is set", route.KindBroker, owner.ControllerName, route.Log{MaxBytes: 1000}, false, []string{
			"max-bytes 1000", "replicas 1 <- default", "storage file <- default", "history none <- default", "dedup-window off <- default",
			"max-consumers 1000 <- default", "dead-letter-max-bytes 1000 <- default", "dead-letter-max-age none <- default", "dead-letter-when-full hold <- default",
		}},
		{"a Broker of files", route.KindBroker, "run", route.Log{MaxBytes: 1000, Replicas: 3}, true, []string{
			"max-bytes 1000", "replicas 3 <- annotation", "storage file <- default", "history none <- default", "dedup-window off <- default",
			"max-consumers 1000 <- default", "dead-letter-max-bytes 1000 <- default", "dead-letter-max-age none <- default", "dead-letter-when-full hold <- default",
			"paused an audit <- handle",
		}},
		{"a cluster's Broker", route.KindBroker, owner.ControllerName, full, false, []string{
			"max-bytes 1000", "replicas 3 <- annotation or ConfigMap", "storage memory <- annotation or ConfigMap", "history 1h0m0s <- annotation or ConfigMap",
			"dedup-window 1m0s <- annotation or ConfigMap", "max-consumers 9 <- annotation or ConfigMap", "placement-cluster east <- ConfigMap",
			"placement-tags ssd,big <- ConfigMap", "dead-letter-max-bytes 70 <- annotation or ConfigMap", "dead-letter-max-age 1m0s <- annotation or ConfigMap",
			"dead-letter-when-full discard-oldest <- annotation or ConfigMap", "subjects a.>,b <- annotation",
		}},
		{"a cluster's Channel", route.KindChannel, owner.ControllerName, full, false, []string{
			"max-bytes 1000", "replicas 3 <- spec or annotation", "storage memory <- spec or annotation", "history 1h0m0s <- spec or annotation",
			"dedup-window 1m0s <- spec or annotation", "max-consumers 9 <- spec or annotation", "placement-cluster east <- spec",
			"placement-tags ssd,big <- spec", "dead-letter-max-bytes 70 <- spec or annotation", "dead-letter-max-age 1m0s <- spec or annotation",
			"dead-letter-when-full discard-oldest <- spec or annotation", "subjects a.>,b <- spec",
		}},
		{"a Channel that adopts a stream", route.KindChannel, "run", route.Log{MaxBytes: 1000, Stream: "ORDERS"}, false, []string{
			"dead-letter-max-bytes 1000 <- default", "dead-letter-max-age none <- default", "dead-letter-when-full hold <- default", "stream ORDERS <- annotation",
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			a := status.AddressStatus{Address: route.Address{Key: route.Key{Kind: test.kind, Namespace: "shop", Name: "x"}, Owner: test.owner, Log: test.log}}
			if test.paused {
				a.Paused, a.PausedByHandle = "an audit", true
			}
			if got := lines(settingsOfAddress(a)); !slices.Equal(got, test.want) {
				t.Errorf("got\n%q\nwant\n%q", got, test.want)
			}
		})
	}
}

func TestSettingsOfATarget(t *testing.T) {
	at, after := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC), time.Minute
	for _, test := range []struct {
		name   string
		kind   route.Kind
		owner  string
		target route.Target
		want   []string
	}{
		{"nothing is set", route.KindBroker, "run", route.Target{MaxInFlight: route.DefaultMaxInFlight}, []string{
			"max-in-flight 100 <- default", "start new <- default", "delivery.retry 0", "delivery.timeout 15m0s <- default",
		}},
		{"a cluster's Trigger", route.KindBroker, owner.ControllerName, route.Target{
			MaxInFlight: 7, Start: route.Start{Policy: route.StartTime, Time: &at}, Paused: "an audit",
			Delivery: delivery.Policy{Retry: 3, Backoff: delivery.LinearBackoff, Delay: time.Second, Timeout: time.Minute, RetryAfterMax: &after, Format: delivery.JSONFormat},
		}, []string{
			"max-in-flight 7 <- annotation or ConfigMap", "start 2026-01-02T03:04:05Z <- annotation", "paused an audit <- annotation", "delivery.retry 3",
			"delivery.backoffPolicy linear", "delivery.backoffDelay 1s", "delivery.timeout 1m0s", "delivery.retryAfterMax 1m0s", "delivery.format json",
		}},
		{"a cluster's Subscription", route.KindChannel, owner.ControllerName, route.Target{MaxInFlight: 7, Start: route.Start{Policy: route.StartAll}}, []string{
			"max-in-flight 7 <- spec", "start all <- spec", "delivery.retry 0", "delivery.timeout 15m0s <- default",
		}},
		{"a Subscription of files", route.KindChannel, "run", route.Target{
			MaxInFlight: 7, Start: route.Start{Policy: route.StartSequence, Sequence: 17}, Paused: "it moves", PausedByHandle: true, DeadLetterCopy: true,
		}, []string{
			"max-in-flight 7 <- annotation", "start seq:17 <- annotation", "paused it moves <- handle", "dead-letter-copy true <- annotation", "delivery.retry 0", "delivery.timeout 15m0s <- default",
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			test.target.Key, test.target.Owner = route.TargetKey{Address: route.Key{Kind: test.kind}}, test.owner
			if got := lines(settingsOfTarget(test.target)); !slices.Equal(got, test.want) {
				t.Errorf("got\n%q\nwant\n%q", got, test.want)
			}
		})
	}
}
