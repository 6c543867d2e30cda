package readiness

import (
	"context"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"knative.dev/pkg/apis"
	"knative.dev/pkg/controller"
)

// Change is a resource with its readiness before and after a reconciliation.
type Change struct {
	Resource runtime.Object
	// Kind begins the event's reason: "Broker" makes BrokerReady and BrokerNotReady.
	Kind          string
	Before, After *apis.Condition
}

// Announce makes a Kubernetes event of a change of readiness, and of nothing else.
func Announce(ctx context.Context, c Change) {
	if c.After == nil || (c.Before != nil && c.Before.Status == c.After.Status) {
		return
	}
	recorder := controller.GetEventRecorder(ctx)
	switch {
	case c.After.IsTrue():
		recorder.Event(c.Resource, corev1.EventTypeNormal, c.Kind+"Ready", "the "+c.Kind+" is ready")
	case c.After.IsFalse():
		recorder.Event(c.Resource, corev1.EventTypeWarning, c.Kind+"NotReady", c.After.GetReason()+": "+c.After.GetMessage())
	}
}
