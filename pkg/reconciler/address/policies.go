package address

import (
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/tools/cache"
	"knative.dev/eventing/pkg/auth"
)

// OnPolicyChange calls for the resources of a kind that an EventPolicy selects, or did.
func OnPolicyChange(resources cache.Indexer, kind schema.GroupKind, call func(types.NamespacedName)) cache.ResourceEventHandler {
	upstream := auth.EventPolicyEventHandler(resources, kind, call)
	return cache.ResourceEventHandlerFuncs{
		AddFunc:    func(o any) { upstream.OnAdd(o, false) },
		UpdateFunc: upstream.OnUpdate,
		DeleteFunc: func(o any) {
			// How a deletion arrives that was missed while the watch was interrupted; upstream's handler passes it by.
			if missed, ok := o.(cache.DeletedFinalStateUnknown); ok {
				o = missed.Obj
			}
			upstream.OnDelete(o)
		},
	}
}
