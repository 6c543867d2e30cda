// Package news tells which events of an informer a reconciler has to act on. The status is what reconcilers write: it is no news to the
// one that wrote it, and without this each write would have the resource reconciled once more.
package news

import (
	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/cache"
)

// Resource is a resource with a spec.
type Resource interface {
	metav1.Object
	GetUntypedSpec() any
}

// Handler calls for a resource that came, went or was changed in anything but its status, and at each resync of the informer, which
// repairs a status that somebody else wrote.
func Handler(call func(any)) cache.ResourceEventHandler {
	return cache.ResourceEventHandlerFuncs{
		AddFunc:    call,
		DeleteFunc: call,
		UpdateFunc: func(before, after any) {
			if !onlyStatus(before, after) {
				call(after)
			}
		},
	}
}

func onlyStatus(before, after any) bool {
	old, wasResource := before.(Resource)
	now, isResource := after.(Resource)
	if !wasResource || !isResource {
		return false
	}
	isResync := old.GetResourceVersion() == now.GetResourceVersion() && now.GetResourceVersion() != ""
	return !isResync && old.GetUID() == now.GetUID() && old.GetGeneration() == now.GetGeneration() &&
		old.GetDeletionTimestamp().Equal(now.GetDeletionTimestamp()) &&
		equality.Semantic.DeepEqual(old.GetLabels(), now.GetLabels()) &&
		equality.Semantic.DeepEqual(old.GetAnnotations(), now.GetAnnotations()) &&
		equality.Semantic.DeepEqual(old.GetUntypedSpec(), now.GetUntypedSpec())
}
