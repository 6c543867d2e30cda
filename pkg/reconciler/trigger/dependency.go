package trigger

import (
	"context"

	apierrs "k8s.io/apimachinery/pkg/api/errors"
	eventingv1 "knative.dev/eventing/pkg/apis/eventing/v1"
	duckv1 "knative.dev/pkg/apis/duck/v1"
)

// checkDependency sets DependencyReady: a source that the Trigger names in an annotation must be Ready. Source of the rule:
// knative.dev/eventing pkg/reconciler/broker/trigger/trigger.go.
func (r *Reconciler) checkDependency(ctx context.Context, w *work) {
	t := w.trigger
	annotation, ok := t.Annotations[eventingv1.DependencyAnnotation]
	if !ok {
		t.Status.MarkDependencySucceeded()
		return
	}
	ref, err := eventingv1.GetObjRefFromDependencyAnnotation(annotation)
	if err != nil {
		t.Status.MarkDependencyFailed(ReasonDependency, "the annotation %s is not an object reference: %v", eventingv1.DependencyAnnotation, err)
		return
	}
	if err := r.sources.TrackInNamespace(ctx, t)(ref); err != nil {
		w.retry = retryAfter
		t.Status.MarkDependencyUnknown(ReasonDependencyUnknown, "%s %s cannot be watched: %v", ref.Kind, ref.Name, err)
		return
	}
	lister, err := r.sources.ListerFor(ref)
	if err != nil {
		w.retry = retryAfter
		t.Status.MarkDependencyUnknown(ReasonDependencyUnknown, "%s %s cannot be watched: %v", ref.Kind, ref.Name, err)
		return
	}
	object, err := lister.ByNamespace(t.Namespace).Get(ref.Name)
	switch source, isSource := object.(*duckv1.Source); {
	case apierrs.IsNotFound(err):
		t.Status.MarkDependencyFailed(ReasonDependencyMissing, "%s %s does not exist", ref.Kind, ref.Name)
	case err != nil || !isSource:
		w.retry = retryAfter
		t.Status.MarkDependencyUnknown(ReasonDependencyUnknown, "%s %s cannot be read: %v", ref.Kind, ref.Name, err)
	case source.Generation != source.Status.ObservedGeneration:
		t.Status.MarkDependencyUnknown(ReasonDependencyStale, "%s %s is at generation %d and its status at %d",
			ref.Kind, ref.Name, source.Generation, source.Status.ObservedGeneration)
	default:
		t.Status.PropagateDependencyStatus(source)
	}
}
