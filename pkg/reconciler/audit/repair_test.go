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
		Broker:   func(key types.NamespacedName) { called = append(called, "broker "+key.Name) },
		Trigger:  func(key types.NamespacedName) { called = append(called, "trigger "+key.Name) },
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
