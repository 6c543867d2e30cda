package audit

import (
	"context"
	"log/slog"
	"slices"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/types"
	eventingv1 "knative.dev/eventing/pkg/apis/eventing/v1"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/routes"
)

// What somebody else changed is reconciled at each look until it is right, and counted once.
func TestChangesOfOthersAreReconciled(t *testing.T) {
	at := func(r routes.StoredRecord, revision uint64) routes.StoredRecord {
		r.Revision = revision
		return r
	}
	b, changed, same, unknown := at(address("b", "1"), 3), at(target("changed", "b"), 9), at(target("same", "b"), 5), at(target("unknown", "b"), 7)
	r := &recordedRoutes{
		owned:     []routes.StoredRecord{b, changed, same, unknown},
		applied:   map[string]uint64{nameOf(b): 3, nameOf(changed): 4, nameOf(same): 5},
		differing: []routes.StoredRecord{b},
	}
	var called []string
	repaired := 0
	a := New(Config{
		Routes: r, Logger: slog.New(slog.DiscardHandler),
		Cached: func() (Resources, bool) {
			return Resources{Brokers: []*eventingv1.Broker{broker("b", "1")}, Triggers: []*eventingv1.Trigger{
				trigger("changed", "b"), trigger("same", "b"), trigger("unknown", "b")}}, true
		},
		Live:     func(context.Context) (Resources, error) { return Resources{}, nil },
		Leads:    func() bool { return true },
		Brokers:  leader(func(key types.NamespacedName) { called = append(called, "broker "+key.Name) }),
		Triggers: leader(func(key types.NamespacedName) { called = append(called, "trigger "+key.Name) }),
		Repaired: func() { repaired++ },
	})
	for range 2 {
		called, a.swept = nil, time.Time{}
		if err := a.once(t.Context()); err != nil {
			t.Error(err)
		}
		if !slices.Equal(called, []string{"trigger changed", "broker b"}) {
			t.Errorf("called for %v", called)
		}
	}
	if repaired != 2 {
		t.Errorf("counted %d repairs, want one of each", repaired)
	}
	r.applied[nameOf(changed)], r.differing, called, a.swept = 9, nil, nil, time.Time{}
	if err := a.once(t.Context()); err != nil || len(called) > 0 {
		t.Errorf("called for %v when all is right; %v", called, err)
	}
}

// share is the controller of a process that reconciles all resources of a kind, or none.
type share struct {
	leads  bool
	called []string
}

func (s *share) Leads(types.NamespacedName) bool { return s.leads }

func (s *share) EnqueueKey(key types.NamespacedName) { s.called = append(s.called, key.Name) }

// The replica that reconciles Triggers need not be the one that reconciles Brokers, and ends routes. Each has its own made right, and
// calls for nothing that another reconciles: its controller would only pass that by.
func TestEachReplicaRepairsWhatItReconciles(t *testing.T) {
	b, changed := address("b", "1"), target("changed", "b")
	b.Revision, changed.Revision = 3, 9
	for _, tt := range []struct {
		name                      string
		brokers, triggers         bool
		wantBrokers, wantTriggers []string
		wantSweeps, wantRepaired  int
	}{
		{"all", true, true, []string{"new", "b"}, []string{"new", "changed"}, 1, 2},
		{"Brokers", true, false, []string{"new", "b"}, nil, 1, 1},
		{"Triggers", false, true, nil, []string{"new", "changed"}, 0, 1},
		{"none", false, false, nil, nil, 0, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := &recordedRoutes{
				owned:     []routes.StoredRecord{b, changed},
				applied:   map[string]uint64{nameOf(b): 3, nameOf(changed): 4},
				differing: []routes.StoredRecord{b},
			}
			brokers, triggers, repaired := &share{leads: tt.brokers}, &share{leads: tt.triggers}, 0
			a := New(Config{
				Routes: r, Logger: slog.New(slog.DiscardHandler),
				Cached: func() (Resources, bool) {
					return Resources{Brokers: []*eventingv1.Broker{broker("b", "1"), broker("new", "2")},
						Triggers: []*eventingv1.Trigger{trigger("changed", "b"), trigger("new", "b")}}, true
				},
				Live:    func(context.Context) (Resources, error) { return Resources{}, nil },
				Leads:   func() bool { return tt.brokers },
				Brokers: brokers, Triggers: triggers, Repaired: func() { repaired++ },
			})
			if err := a.once(t.Context()); err != nil {
				t.Error(err)
			}
			if !slices.Equal(brokers.called, tt.wantBrokers) || !slices.Equal(triggers.called, tt.wantTriggers) {
				t.Errorf("called for Brokers %v and Triggers %v", brokers.called, triggers.called)
			}
			if r.sweeps != tt.wantSweeps || repaired != tt.wantRepaired {
				t.Errorf("%d sweeps, %d repairs", r.sweeps, repaired)
			}
		})
	}
}

// What is remembered of records ends with them, also of those that another replica has ended.
func TestWhatWasAppliedIsForgottenWithItsRecord(t *testing.T) {
	o := &Owner{applied: map[string]uint64{}}
	there, gone, written := target("there", "b"), target("gone", "b"), target("written", "b")
	there.Revision = 7
	o.note(nameOf(there), 7, nil)
	o.note(nameOf(gone), 5, nil)
	o.note(nameOf(written), 8, nil)
	o.keep([]routes.StoredRecord{there}, nil)
	for _, tt := range []struct {
		name   string
		record routes.StoredRecord
		want   bool
	}{
		{"one that is there", there, true},
		{"one that is gone", gone, false},
		{"one that was written after all were read", written, true},
	} {
		if _, known := o.Applied(tt.record); known != tt.want {
			t.Errorf("%s: known %v", tt.name, known)
		}
	}
}
