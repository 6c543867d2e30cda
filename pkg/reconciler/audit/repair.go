package audit

import (
	"context"

	"k8s.io/apimachinery/pkg/types"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/routes"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/route"
)

// repairRecords has the resources reconciled whose records somebody else wrote, however they differ: only the reconcilers know what is
// right. What is told is told once.
func (a *Audit) repairRecords(owned []routes.StoredRecord) {
	strange := map[string]uint64{}
	for _, r := range owned {
		applied, known := a.config.Routes.Applied(r)
		if !known || applied >= r.Revision && r.Revision > 0 {
			continue // or it was written again since it was read
		}
		name := nameOf(r)
		if strange[name] = r.Revision; a.strange[name] != r.Revision {
			a.told("a route was changed by somebody else; it is made what its resource says", name)
		}
		a.reconcile(r)
	}
	a.strange = strange
}

// repairStreams is repairRecords for the streams and consumers behind the records.
func (a *Audit) repairStreams(ctx context.Context, owned []routes.StoredRecord) error {
	found, err := a.config.Routes.Differing(ctx, owned)
	differing := map[string]bool{}
	for _, r := range found {
		name := nameOf(r)
		if differing[name] = true; !a.differing[name] {
			a.told("a stream or consumer was changed by somebody else; it is made what its resource says", name)
		}
		a.reconcile(r)
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

// reconcile has the resource of a route reconciled.
func (a *Audit) reconcile(r routes.StoredRecord) {
	switch {
	case r.Target != nil && r.Target.Key.Address.Kind == route.KindBroker:
		a.config.Trigger(types.NamespacedName{Namespace: r.Target.Key.Namespace, Name: r.Target.Key.Name})
	case r.Target != nil:
		a.config.Channel(types.NamespacedName{Namespace: r.Target.Key.Address.Namespace, Name: r.Target.Key.Address.Name})
	case r.Address.Key.Kind == route.KindBroker:
		a.config.Broker(types.NamespacedName{Namespace: r.Address.Key.Namespace, Name: r.Address.Key.Name})
	default:
		a.config.Channel(types.NamespacedName{Namespace: r.Address.Key.Namespace, Name: r.Address.Key.Name})
	}
}

// nameOf names a route in logs.
func nameOf(r routes.StoredRecord) string {
	if r.Target != nil {
		return r.Target.Key.String()
	}
	return r.Address.Key.String()
}
