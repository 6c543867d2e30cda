package describe

import (
	"errors"
	"reflect"
	"testing"
	"time"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/buckets"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/handles"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/internal/jstest"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/owner"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/status"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/route"
	"github.com/eventing-jetstream/eventing-jetstream/test/natstest"
)

// TestWhatIsDescribedHasItsStreams describes a Broker and its Triggers: those that share the log's
// consumer, and one with a consumer of its own.
func TestWhatIsDescribedHasItsStreams(t *testing.T) {
	c := jstest.Connect(t, natstest.Start(t, nil))
	names := c.Names()
	ctx := jstest.Context(t)
	jstest.Must(t, buckets.Ensure(ctx, c))
	run := owner.New(c, "run", time.Minute)
	orders := route.Key{Kind: route.KindBroker, Namespace: "shop", Name: "orders"}
	empty := route.Key{Kind: route.KindBroker, Namespace: "shop", Name: "empty"}
	const room = 4 << 20
	for _, key := range []route.Key{orders, empty} {
		_, err := run.PutAddress(ctx, route.Address{Key: key, Log: route.Log{MaxBytes: room}})
		jstest.Must(t, err)
	}
	own := route.TargetKey{Address: orders, Namespace: "shop", Name: "own"}
	for _, name := range []string{"own", "pay", "ship"} {
		target := route.Target{Key: route.TargetKey{Address: orders, Namespace: "shop", Name: name}, Subscriber: &route.Destination{URL: "http://a/"}}
		if target.Key == own {
			target.Start.Policy = route.StartAll
		}
		_, err := run.PutTarget(ctx, target)
		jstest.Must(t, err)
	}
	for range 2 {
		_, err := c.JetStream().Publish(ctx, names.EventSubject(orders, "t"), []byte("x"))
		jstest.Must(t, err)
	}
	stored, err := c.JetStream().Stream(ctx, names.Log(orders))
	jstest.Must(t, err)

	named := func(target bool, name string) handles.Named {
		return handles.Named{Of: route.KindBroker, Target: target, Namespace: "shop", Name: name}
	}
	log := func(consumers ...string) Stream {
		s := Stream{Name: names.Log(orders), Use: UseLog, Messages: 2, Bytes: stored.CachedInfo().State.Bytes, Limit: room}
		for _, name := range consumers {
			s.Consumers = append(s.Consumers, Consumer{Name: name, Pending: 2})
		}
		return s
	}
	directed := Stream{Name: names.DirectedStream(orders), Use: UseDirected, Limit: room, Consumers: []Consumer{{Name: names.SharedConsumer()}}}
	dead := Stream{Name: names.DeadLetterStream(orders), Use: UseDeadLetters, Limit: route.Log{MaxBytes: room}.DeadLetterBytes()}
	for _, test := range []struct {
		name    string
		of      handles.Named
		targets int
		want    []Stream
	}{
		{"a Broker", named(false, "orders"), 3, []Stream{log(names.Consumer(own), names.SharedConsumer()), directed, dead}},
		{"a Trigger that shares", named(true, "pay"), 0, []Stream{log(names.SharedConsumer()), directed, dead}},
		{"one that does not", named(true, "own"), 0, []Stream{log(names.Consumer(own)), directed, dead}},
		{"a Broker without Triggers", named(false, "empty"), 0, []Stream{
			{Name: names.Log(empty), Use: UseLog, Limit: room}, {Name: names.DeadLetterStream(empty), Use: UseDeadLetters, Limit: dead.Limit},
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			d, silent, err := Read(ctx, c, test.of)
			jstest.Must(t, err)
			for i, s := range d.Streams {
				for j := range s.Consumers {
					d.Streams[i].Consumers[j].AckFloor = 0 // which counts from the time when the stream was made
				}
			}
			if !reflect.DeepEqual(d.Streams, test.want) || len(silent) > 0 {
				t.Errorf("the streams are %+v, want %+v; %q are silent", d.Streams, test.want, silent)
			}
			if (d.Target != nil) != test.of.Target || (d.Address != nil) == test.of.Target || len(d.Targets) != test.targets || len(d.Settings) == 0 {
				t.Errorf("described are %+v and %+v with %d targets", d.Address, d.Target, len(d.Targets))
			}
		})
	}
	for _, of := range []handles.Named{
		named(false, "pay"), named(true, "orders"), {Of: route.KindChannel, Namespace: "shop", Name: "orders"}, {Of: route.KindBroker, Namespace: "other", Name: "orders"},
	} {
		if _, _, err := Read(ctx, c, of); !errors.Is(err, handles.ErrNotFound) {
			t.Errorf("%+v: error %v", of, err)
		}
	}
}

// A Trigger that has moved to another Broker can be there twice: one is in no file any more.
func TestOfTwoOneThatIsReadyIsDescribed(t *testing.T) {
	target := func(broker string, ready bool) status.TargetStatus {
		key := route.Key{Kind: route.KindBroker, Namespace: "shop", Name: broker}
		return status.TargetStatus{Target: route.Target{Key: route.TargetKey{Address: key, Namespace: "shop", Name: "pay"}}, Ready: ready}
	}
	of := handles.Named{Of: route.KindBroker, Target: true, Namespace: "shop", Name: "pay"}
	for _, all := range [][]status.TargetStatus{
		{target("kept", false), target("served", true)}, {target("served", true), target("kept", false)}, {target("served", false), target("kept", false)},
	} {
		if d := find(status.Status{Targets: all}, of); d.Target == nil || d.Target.Key.Address.Name != "served" {
			t.Errorf("of %+v it is %+v", all, d.Target)
		}
	}
}
