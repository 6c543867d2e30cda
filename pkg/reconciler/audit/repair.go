package audit

import (
	"context"

	"k8s.io/apimachinery/pkg/types"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/routes"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/route"
)

// repairRecords has the resources reconciled whose records somebody else wrote, however they differ: only the reconcilers know what is
// right. What is told is told once.
func (a *Audit) repairRecords(ours []routes.StoredRecord) {
	strange := map[string]uint64{}
	for _, r := range ours {
		applied, known := a.config.Routes.Applied(r)
		if !known || applied >= r.Revision && r.Revision > 0 {
			continue // or it was written again since it was read
		}
		name := nameOf(r)
		if strange[name] = r.Revision; a.strange[name] != r.Revision {
			a.told("a route was changed by somebody else; it is made what its resource says", name)
		}
		reconciler, key := a.reconcilerOf(r)
		reconciler.EnqueueKey(key)
	}
	a.strange = strange
}

// repairStreams is repairRecords for the streams and consumers behind the records.
func (a *Audit) repairStreams(ctx context.Context, ours []routes.StoredRecord) error {
	found, err := a.config.Routes.Differing(ctx, ours)
	differing := map[string]bool{}
	for _, r := range found {
		name := nameOf(r)
		if differing[name] = true; !a.differing[name] {
			a.told("a stream or consumer was changed by somebody else; it is made what its resource says", name)
		}
		reconciler, key := a.reconcilerOf(r)
		reconciler.EnqueueKey(key)
	}
	if err == nil {
		a.differing = differing
	}
	return err
}

func (a *Audit) told(what, name string) {
	a.config.Logger.Warn(what, "route", name)
	if a.config.Repaired != nil {
		a.config.Repaired()
	}
}

// reconcilerOf returns who reconciles the resource of a route, and its name.
func (a *Audit) reconcilerOf(r routes.StoredRecord) (Reconciler, types.NamespacedName) {
	if r.Target != nil && r.Target.Key.Address.Kind == route.KindBroker {
		return a.config.Triggers, types.NamespacedName{Namespace: r.Target.Key.Namespace, Name: r.Target.Key.Name}
	}
	var address route.Key
	if r.Target != nil {
		address = r.Target.Key.Address
	} else {
		address = r.Address.Key
	}
	name := types.NamespacedName{Namespace: address.Namespace, Name: address.Name}
	if address.Kind == route.KindBroker {
		return a.config.Brokers, name
	}
	return a.config.Channels, name
}

// isOthers reports whether another replica reconciles the resource of a route: this one knows neither whether the route is as its
// resource says, nor could make it so.
func (a *Audit) isOthers(r routes.StoredRecord) bool {
	reconciler, key := a.reconcilerOf(r)
	return !reconciler.Leads(key)
}

// enqueue has those reconciled that are this process's to reconcile. All others would be passed by.
func enqueue(reconciler Reconciler, keys []types.NamespacedName) {
	for _, key := range keys {
		if reconciler.Leads(key) {
			reconciler.EnqueueKey(key)
		}
	}
}

// nameOf names a route in logs.
func nameOf(r routes.StoredRecord) string {
	if r.Target != nil {
		return r.Target.Key.String()
	}
	return r.Address.Key.String()
}
