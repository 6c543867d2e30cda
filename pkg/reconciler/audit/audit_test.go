package audit

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	eventingduckv1 "knative.dev/eventing/pkg/apis/duck/v1"
	eventingv1 "knative.dev/eventing/pkg/apis/eventing/v1"
	duckv1 "knative.dev/pkg/apis/duck/v1"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/apis/messaging/v1alpha1"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/compile"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/routes"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/route"
)

const namespace = "shop"

func broker(name, uid string) *eventingv1.Broker {
	return &eventingv1.Broker{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name, UID: types.UID(uid),
		Annotations: map[string]string{compile.ClassAnnotation: compile.BrokerClass}}}
}

func foreign(name string) *eventingv1.Broker {
	b := broker(name, "")
	b.Annotations[compile.ClassAnnotation] = "MTChannelBasedBroker"
	return b
}

func trigger(name, of string) *eventingv1.Trigger {
	return &eventingv1.Trigger{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name, UID: "1"}, Spec: eventingv1.TriggerSpec{Broker: of}}
}

func crossing(name string) *eventingv1.Trigger {
	t := trigger(name, "")
	t.Spec.BrokerRef = &duckv1.KReference{Namespace: "elsewhere", Name: "b"}
	return t
}

func address(name, uid string) routes.StoredRecord {
	return routes.StoredRecord{Record: route.Record{Address: &route.Address{Key: compile.BrokerKey(namespace, name), UID: uid}}}
}

func target(name, of string) routes.StoredRecord {
	key := route.TargetKey{Address: compile.BrokerKey(namespace, of), Namespace: namespace, Name: name}
	return routes.StoredRecord{Record: route.Record{Target: &route.Target{Key: key, UID: "1"}}}
}

func crossed(name string) routes.StoredRecord {
	r := target(name, "b")
	r.Target.Key.Address.Namespace = "elsewhere"
	return r
}

func elsewhere() *eventingv1.Broker {
	b := broker("b", "1")
	b.Namespace = "elsewhere"
	return b
}

func channel(name, uid string, subscribers ...types.UID) *v1alpha1.NatsJetStreamChannel {
	c := &v1alpha1.NatsJetStreamChannel{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name, UID: types.UID(uid)}}
	for _, s := range subscribers {
		c.Spec.Subscribers = append(c.Spec.Subscribers, eventingduckv1.SubscriberSpec{UID: s})
	}
	return c
}

// ofChannel is the route of a channel or, with a UID, of its subscriber.
func ofChannel(name, uid string, subscriber types.UID) routes.StoredRecord {
	key := compile.ChannelKey(namespace, name)
	if subscriber == "" {
		return routes.StoredRecord{Record: route.Record{Address: &route.Address{Key: key, UID: uid}}}
	}
	target := route.Target{Key: route.TargetKey{Address: key, Namespace: namespace, Name: string(subscriber)}, UID: string(subscriber)}
	return routes.StoredRecord{Record: route.Record{Target: &target}}
}

// leader is the controller of a process that reconciles all resources of a kind.
type leader func(types.NamespacedName)

func (leader) Leads(types.NamespacedName) bool { return true }

func (l leader) EnqueueKey(key types.NamespacedName) {
	if l != nil {
		l(key)
	}
}

func names(records []routes.StoredRecord) []string {
	var out []string
	for _, r := range records {
		if r.Target != nil {
			out = append(out, r.Target.Key.Address.TargetKind()+" "+r.Target.Key.Name)
		} else {
			out = append(out, string(r.Address.Key.Kind)+" "+r.Address.Key.Name)
		}
	}
	return out
}

func keyNames(keys []types.NamespacedName) []string {
	var out []string
	for _, k := range keys {
		out = append(out, k.Name)
	}
	slices.Sort(out)
	return out
}

func TestCompare(t *testing.T) {
	type records = []routes.StoredRecord
	tests := []struct {
		name                      string
		owned                     records
		resources                 Resources
		wantOrphans               []string
		wantBrokers, wantTriggers []string
		wantChannels              []string
	}{
		{name: "nothing"},
		{name: "as it should be", owned: records{address("b", "1"), target("t", "b")},
			resources: Resources{Brokers: []*eventingv1.Broker{broker("b", "1")}, Triggers: []*eventingv1.Trigger{trigger("t", "b")}}},
		{name: "routes are missing", resources: Resources{Brokers: []*eventingv1.Broker{broker("b", "1")}, Triggers: []*eventingv1.Trigger{trigger("t", "b")}},
			wantBrokers: []string{"b"}, wantTriggers: []string{"t"}},
		{name: "the Trigger is gone", owned: records{address("b", "1"), target("t", "b")}, resources: Resources{Brokers: []*eventingv1.Broker{broker("b", "1")}},
			wantOrphans: []string{"trigger t"}},
		{name: "the Broker is gone, and with it what its Trigger had", owned: records{address("b", "1"), target("t", "b")},
			resources: Resources{Triggers: []*eventingv1.Trigger{trigger("t", "b")}}, wantOrphans: []string{"trigger t", "broker b"}},
		{name: "deleted and made again", owned: records{address("b", "1")}, resources: Resources{Brokers: []*eventingv1.Broker{broker("b", "2")}}, wantBrokers: []string{"b"}},
		{name: "another class is not ours", resources: Resources{Brokers: []*eventingv1.Broker{foreign("b")}, Triggers: []*eventingv1.Trigger{trigger("t", "b")}}},
		{name: "made again in another class", owned: records{address("b", "1")}, resources: Resources{Brokers: []*eventingv1.Broker{foreign("b")}}, wantOrphans: []string{"broker b"}},
		{name: "a Trigger without Broker is not ours", resources: Resources{Triggers: []*eventingv1.Trigger{trigger("t", "b")}}},
		{name: "another namespace", owned: records{crossed("t")}, wantBrokers: []string{"b"},
			resources: Resources{Brokers: []*eventingv1.Broker{elsewhere()}, Triggers: []*eventingv1.Trigger{crossing("t")}, CrossNamespace: true}},
		{name: "another namespace with the feature off", owned: records{crossed("t")}, wantBrokers: []string{"b"}, wantOrphans: []string{"trigger t"},
			resources: Resources{Brokers: []*eventingv1.Broker{elsewhere()}, Triggers: []*eventingv1.Trigger{crossing("t")}}},
		{name: "a channel as it should be", owned: records{ofChannel("c", "1", ""), ofChannel("c", "", "s")},
			resources: Resources{Channels: []*v1alpha1.NatsJetStreamChannel{channel("c", "1", "s")}}},
		{name: "of a channel, all is missing", resources: Resources{Channels: []*v1alpha1.NatsJetStreamChannel{channel("c", "1", "s", "s2")}},
			wantChannels: []string{"c"}},
		{name: "of a channel, a subscriber is missing", owned: records{ofChannel("c", "1", "")},
			resources: Resources{Channels: []*v1alpha1.NatsJetStreamChannel{channel("c", "1", "s")}}, wantChannels: []string{"c"}},
		{name: "a subscriber is gone", owned: records{ofChannel("c", "1", ""), ofChannel("c", "", "s"), ofChannel("c", "", "s2")},
			resources: Resources{Channels: []*v1alpha1.NatsJetStreamChannel{channel("c", "1", "s")}}, wantOrphans: []string{"subscriber s2"}},
		{name: "a channel is gone", owned: records{ofChannel("c", "1", ""), ofChannel("c", "", "s")}, wantOrphans: []string{"subscriber s", "channel c"}},
		{name: "a Broker of a channel's name", owned: records{address("c", "1")}, wantOrphans: []string{"broker c"}, wantChannels: []string{"c"},
			resources: Resources{Channels: []*v1alpha1.NatsJetStreamChannel{channel("c", "1")}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := compare(tt.owned, tt.resources.wanted())
			if !slices.Equal(names(got.orphans), tt.wantOrphans) {
				t.Errorf("orphans %v, want %v", names(got.orphans), tt.wantOrphans)
			}
			if !slices.Equal(keyNames(got.brokers), tt.wantBrokers) || !slices.Equal(keyNames(got.triggers), tt.wantTriggers) {
				t.Errorf("missing %v and %v", got.brokers, got.triggers)
			}
			if !slices.Equal(keyNames(got.channels), tt.wantChannels) {
				t.Errorf("missing channels %v, want %v", got.channels, tt.wantChannels)
			}
		})
	}
}

// recordedRoutes is the owner of some records; it notes what is removed.
type recordedRoutes struct {
	owned, ending, unrecorded []routes.StoredRecord
	removed                   []routes.StoredRecord
	sweeps                    int
	err                       error
	applied                   map[string]uint64
	differing                 []routes.StoredRecord
}

func (r *recordedRoutes) OwnedAndEnding(context.Context) (live, ending []routes.StoredRecord, err error) {
	return r.owned, r.ending, r.err
}

func (r *recordedRoutes) Unrecorded(context.Context) ([]routes.StoredRecord, error) {
	return r.unrecorded, nil
}

func (r *recordedRoutes) End(_ context.Context, record routes.StoredRecord) error {
	r.removed = append(r.removed, record)
	return nil
}

func (r *recordedRoutes) Applied(record routes.StoredRecord) (uint64, bool) {
	revision, known := r.applied[nameOf(record)]
	return revision, known
}

func (r *recordedRoutes) Differing(_ context.Context, live []routes.StoredRecord) ([]routes.StoredRecord, error) {
	return slices.DeleteFunc(slices.Clone(r.differing), func(d routes.StoredRecord) bool {
		return !slices.ContainsFunc(live, func(l routes.StoredRecord) bool { return nameOf(l) == nameOf(d) })
	}), nil
}

func (r *recordedRoutes) Sweep(context.Context) error { r.sweeps++; return nil }

func TestNothingEndsOnTheWordOfACache(t *testing.T) {
	errAPI := errors.New("the API server is away")
	full := Resources{Brokers: []*eventingv1.Broker{broker("b", "1")}, Triggers: []*eventingv1.Trigger{trigger("t", "b")}}
	tests := []struct {
		name         string
		cached, live Resources
		liveErr      error
		unsynced     bool
		follows      bool // this process does not lead
		wantRemoved  []string
		wantSweeps   int
	}{
		{name: "gone in both", wantRemoved: []string{"trigger t", "broker b"}, wantSweeps: 1},
		{name: "the cache is old", live: full, wantSweeps: 1},
		{name: "the cache has it", cached: full, wantSweeps: 1},
		{name: "the API server does not answer", liveErr: errAPI, wantSweeps: 1},
		{name: "the caches have not synced", unsynced: true},
		{name: "another replica leads", follows: true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := &recordedRoutes{owned: []routes.StoredRecord{address("b", "1"), target("t", "b")}}
			a := New(Config{
				Routes: r, Logger: slog.New(slog.DiscardHandler),
				Cached:  func() (Resources, bool) { return tt.cached, !tt.unsynced },
				Live:    func(context.Context) (Resources, error) { return tt.live, tt.liveErr },
				Leads:   func() bool { return !tt.follows },
				Brokers: leader(nil), Triggers: leader(nil), Channels: leader(nil),
			})
			if err := a.once(t.Context()); !errors.Is(err, tt.liveErr) {
				t.Errorf("%v", err)
			}
			if !slices.Equal(names(r.removed), tt.wantRemoved) || r.sweeps != tt.wantSweeps {
				t.Errorf("removed %v, %d sweeps", r.removed, r.sweeps)
			}
		})
	}
}

// What somebody deleted the records of is looked for now and then, and ends like any other thing: on the word of the API server.
func TestWhatHasNoRecordEndsToo(t *testing.T) {
	r := &recordedRoutes{unrecorded: []routes.StoredRecord{target("t", "b"), target("alive", "b"), address("gone", "1")}}
	a := New(Config{
		Routes: r, Logger: slog.New(slog.DiscardHandler),
		Cached: func() (Resources, bool) { return Resources{}, true },
		Live: func(context.Context) (Resources, error) {
			return Resources{Brokers: []*eventingv1.Broker{broker("b", "1")}, Triggers: []*eventingv1.Trigger{trigger("alive", "b")}}, nil
		},
		Leads:   func() bool { return true },
		Brokers: leader(nil), Triggers: leader(nil), Channels: leader(nil),
	})
	for _, tt := range []struct {
		searched time.Time
		want     []string
	}{
		{time.Now(), nil},
		{time.Now().Add(-searchEvery), []string{"trigger t", "broker gone"}},
	} {
		a.searched = tt.searched
		if err := a.once(t.Context()); err != nil {
			t.Error(err)
		}
		if !slices.Equal(names(r.removed), tt.want) {
			t.Errorf("removed %v, want %v", names(r.removed), tt.want)
		}
	}
}

// Whoever leads: a Broker may have gone while nobody did. Nobody else is told, or a deletion would wake the comparison that found it.
func TestTriggersThatLostTheirBrokerAreTold(t *testing.T) {
	knowing := trigger("knowing", "b")
	knowing.Status.MarkBrokerFailed("BrokerDoesNotExist", "gone")
	r := &recordedRoutes{
		owned: []routes.StoredRecord{target("orphan", "b"), target("served", "here"), target("deleted", "here"), target("knowing", "b")},
		ending: []routes.StoredRecord{target("ending", "b"), target("gone too", "b"), target("elsewhere", "theirs"), address("b", "1"),
			ofChannel("c", "1", "namesake")},
	}
	var told []string
	a := New(Config{
		Routes: r, Logger: slog.New(slog.DiscardHandler),
		Cached: func() (Resources, bool) {
			return Resources{Brokers: []*eventingv1.Broker{broker("here", "1"), foreign("theirs")}, Triggers: []*eventingv1.Trigger{
				trigger("orphan", "b"), trigger("ending", "b"), trigger("served", "here"), trigger("elsewhere", "theirs"), trigger("namesake", "b"), knowing}}, true
		},
		Leads:   func() bool { return false },
		Brokers: leader(nil), Channels: leader(nil),
		Triggers: leader(func(key types.NamespacedName) { told = append(told, key.Name) }),
	})
	if err := a.once(t.Context()); err != nil {
		t.Error(err)
	}
	// The namesake and those whose records are gone lack a route only as long as they have a Broker.
	if !slices.Equal(told, []string{"orphan", "ending"}) {
		t.Errorf("told %v", told)
	}
}

// One record that cannot be read keeps nothing else from being compared and swept.
func TestAnUnreadableRecordStopsNoAudit(t *testing.T) {
	r := &recordedRoutes{owned: []routes.StoredRecord{target("t", "b")}, err: fmt.Errorf("key x: %w", route.ErrRecord)}
	a := New(Config{
		Routes: r, Logger: slog.New(slog.DiscardHandler),
		Cached:  func() (Resources, bool) { return Resources{}, true },
		Live:    func(context.Context) (Resources, error) { return Resources{}, nil },
		Leads:   func() bool { return true },
		Brokers: leader(nil), Triggers: leader(nil), Channels: leader(nil),
	})
	if err := a.once(t.Context()); !errors.Is(err, route.ErrRecord) {
		t.Errorf("error %v, want that of the record", err)
	}
	if !slices.Equal(names(r.removed), []string{"trigger t"}) || r.sweeps != 1 {
		t.Errorf("removed %v, %d sweeps", names(r.removed), r.sweeps)
	}
}
