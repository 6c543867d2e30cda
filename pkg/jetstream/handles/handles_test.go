package handles_test

import (
	"errors"
	"testing"
	"time"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/buckets"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/handles"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/internal/jstest"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/owner"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/naming"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/route"
	"github.com/eventing-jetstream/eventing-jetstream/test/natstest"
)

// world is a server with the Broker shop/orders.
type world struct {
	t       *testing.T
	client  *jetstream.Client
	handles handles.Handles
	broker  route.Key
	now     time.Time
}

var trigger = handles.Named{Of: route.KindBroker, Target: true, Namespace: "shop", Name: "pay"}

func newWorld(t *testing.T) *world {
	t.Helper()
	c := jstest.Connect(t, natstest.Start(t, nil))
	w := &world{
		t: t, client: c, handles: handles.New(c), now: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC),
		broker: route.Key{Kind: route.KindBroker, Namespace: "shop", Name: "orders"},
	}
	c.Timing().Now = func() time.Time { return w.now }
	jstest.Must(t, buckets.Ensure(jstest.Context(t), c))
	_, err := w.owner("files").PutAddress(jstest.Context(t), route.Address{Key: w.broker, Log: route.Log{MaxBytes: 1 << 20}})
	jstest.Must(t, err)
	return w
}

func (w *world) owner(name string) *owner.Owner {
	o := owner.New(w.client, name, time.Nanosecond)
	o.Handles = w.handles
	return o
}

// put writes the Trigger as a file has it, with the annotation, if that is given, and returns what is written.
func (w *world) put(name, annotation string) route.Target {
	w.t.Helper()
	key := route.TargetKey{Address: w.broker, Namespace: "shop", Name: name}
	_, err := w.owner("files").PutTarget(jstest.Context(w.t), route.Target{
		Key: key, Subscriber: &route.Destination{URL: "http://subscriber.example/"}, Paused: annotation,
	})
	jstest.Must(w.t, err)
	return w.stored(name)
}

func (w *world) stored(name string) route.Target {
	w.t.Helper()
	r, found, err := owner.Record(jstest.Context(w.t), w.client, naming.TargetKey(route.TargetKey{Address: w.broker, Namespace: "shop", Name: name}))
	if jstest.Must(w.t, err); !found {
		w.t.Fatalf("there is no Trigger %s", name)
	}
	return *r.Target
}

func (w *world) pause(n handles.Named, why string) []route.Target {
	w.t.Helper()
	targets, err := w.handles.Pause(jstest.Context(w.t), n, why)
	jstest.Must(w.t, err)
	return targets
}

func (w *world) resume(n handles.Named) []route.Target {
	w.t.Helper()
	targets, err := w.handles.Resume(jstest.Context(w.t), n)
	jstest.Must(w.t, err)
	return targets
}

func (w *world) wants(t route.Target, paused string, since time.Time, byHandle bool) {
	w.t.Helper()
	if t.Paused != paused || !t.PausedSince.Equal(since) || t.PausedByHandle != byHandle {
		w.t.Errorf("paused %q since %s, by a handle: %t; want %q, %s, %t", t.Paused, t.PausedSince, t.PausedByHandle, paused, since, byHandle)
	}
}

func TestAPauseLastsUntilItIsResumed(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	before, began := w.put("pay", ""), w.now
	w.wants(w.pause(trigger, "it moves")[0], "it moves", began, true)
	w.now = began.Add(time.Hour)
	w.wants(w.put("pay", ""), "it moves", began, true) // as a restart does
	w.wants(w.pause(trigger, "it moves still")[0], "it moves still", began, true)
	if got := w.stored("pay"); got.Consumer != before.Consumer || got.After != before.After || got.Owner != "files" {
		t.Errorf("the Trigger is %+v, want but for the pause %+v", got, before)
	}
	w.wants(w.resume(trigger)[0], "", time.Time{}, false)
	w.wants(w.put("pay", ""), "", time.Time{}, false)
	w.wants(w.resume(trigger)[0], "", time.Time{}, false) // once more does no harm
}

func TestFindLooksForALiveRoute(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.put("pay", "")
	found, err := w.handles.Find(jstest.Context(t), trigger)
	if err != nil || found.Target == nil || found.Target.Key.Name != "pay" {
		t.Errorf("the Trigger is found as %+v: %v", found, err)
	}
	found, err = w.handles.Find(jstest.Context(t), handles.Named{Of: route.KindBroker, Namespace: "shop", Name: "orders"})
	if err != nil || found.Address == nil || found.Address.Key != w.broker {
		t.Errorf("the Broker is found as %+v: %v", found, err)
	}
	jstest.Must(t, w.owner("files").RemoveTarget(jstest.Context(t), w.stored("pay").Key))
	if _, err := w.handles.Find(jstest.Context(t), trigger); !errors.Is(err, handles.ErrNotFound) {
		t.Errorf("a Trigger that has ended is found with %v, want ErrNotFound", err)
	}
}

func TestAnAnnotationGoesFirst(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	began := w.now
	w.put("pay", "the file says so")
	w.now = began.Add(time.Hour)
	w.wants(w.pause(trigger, "it moves")[0], "the file says so", began, false)
	w.wants(w.put("pay", "another reason"), "another reason", began, false)
	w.wants(w.put("pay", ""), "it moves", w.now, true)
	w.wants(w.put("pay", "the file again"), "the file again", w.now, false)
	w.wants(w.resume(trigger)[0], "the file again", w.now, false)
	w.wants(w.put("pay", ""), "", time.Time{}, false)
}

func TestABrokerIsPausedWithAllItsTriggers(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	broker := handles.Named{Of: route.KindBroker, Namespace: "shop", Name: "orders"}
	w.put("pay", "")
	w.put("ship", "")
	w.pause(trigger, "it moves")
	if paused := w.pause(broker, "an audit"); len(paused) != 2 {
		t.Fatalf("%d Triggers are paused, want both", len(paused))
	}
	w.wants(w.stored("pay"), "it moves", w.now, true)
	w.wants(w.stored("ship"), "its Broker is paused: an audit", w.now, true)
	w.wants(w.put("later", ""), "its Broker is paused: an audit", w.now, true)
	w.wants(w.resume(trigger)[0], "its Broker is paused: an audit", w.now, true)
	w.resume(broker)
	for _, name := range []string{"pay", "ship", "later"} {
		w.wants(w.stored(name), "", time.Time{}, false)
	}
}

// A handle ends with what it is about, and not before: a Trigger that comes back within the grace period is paused still.
func TestAHandleEndsWithItsTrigger(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	target := w.put("pay", "")
	w.pause(trigger, "it moves")
	jstest.Must(t, w.owner("files").RemoveTarget(jstest.Context(t), target.Key))
	w.wants(w.put("pay", ""), "it moves", w.now, true)
	jstest.Must(t, w.owner("files").RemoveTarget(jstest.Context(t), target.Key))
	jstest.Must(t, w.owner("files").Sweep(jstest.Context(t)))
	w.wants(w.put("pay", ""), "", time.Time{}, false)
}

func TestWhatCannotBePaused(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	target := w.put("pay", "")
	_, err := w.owner("controller").PutTarget(jstest.Context(t), route.Target{Key: route.TargetKey{Address: w.broker, Namespace: "shop", Name: "cluster"}})
	jstest.Must(t, err)
	for _, test := range []struct {
		name string
		of   handles.Named
		want error
	}{
		{"no such name", handles.Named{Of: route.KindBroker, Target: true, Namespace: "shop", Name: "none"}, handles.ErrNotFound},
		{"another namespace", handles.Named{Of: route.KindBroker, Target: true, Namespace: "other", Name: "pay"}, handles.ErrNotFound},
		{"a Subscription of this name", handles.Named{Of: route.KindChannel, Target: true, Namespace: "shop", Name: "pay"}, handles.ErrNotFound},
		{"a Broker of this name", handles.Named{Of: route.KindBroker, Namespace: "shop", Name: "pay"}, handles.ErrNotFound},
		{"one of a cluster", handles.Named{Of: route.KindBroker, Target: true, Namespace: "shop", Name: "cluster"}, handles.ErrOfCluster},
	} {
		if _, err := w.handles.Pause(jstest.Context(t), test.of, "x"); !errors.Is(err, test.want) {
			t.Errorf("%s: error %v, want %v", test.name, err, test.want)
		}
	}
	jstest.Must(t, w.owner("files").RemoveTarget(jstest.Context(t), target.Key))
	if _, err := w.handles.Resume(jstest.Context(t), trigger); !errors.Is(err, handles.ErrNotFound) {
		t.Errorf("one that was deleted: error %v", err)
	}
}
