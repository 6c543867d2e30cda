package news

import (
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	eventingv1 "knative.dev/eventing/pkg/apis/eventing/v1"
)

func TestHandler(t *testing.T) {
	base := &eventingv1.Trigger{ObjectMeta: metav1.ObjectMeta{Name: "t", UID: "1", Generation: 1, ResourceVersion: "5"}}
	tests := []struct {
		name   string
		change func(*eventingv1.Trigger)
		want   bool
	}{
		{"a status that was written", func(t *eventingv1.Trigger) { t.Status.MarkDependencySucceeded() }, false},
		{"who wrote which field", func(t *eventingv1.Trigger) { t.ManagedFields = []metav1.ManagedFieldsEntry{{Manager: "m"}} }, false},
		{"another spec", func(t *eventingv1.Trigger) { t.Spec.Broker, t.Generation = "other", 2 }, true},
		{"another spec of the same generation", func(t *eventingv1.Trigger) { t.Spec.Broker = "other" }, true},
		{"an annotation", func(t *eventingv1.Trigger) { t.Annotations = map[string]string{"a": "b"} }, true},
		{"a label", func(t *eventingv1.Trigger) { t.Labels = map[string]string{"a": "b"} }, true},
		{"made again", func(t *eventingv1.Trigger) { t.UID = "2" }, true},
		{"being deleted", func(t *eventingv1.Trigger) { now := metav1.Now(); t.DeletionTimestamp = &now }, true},
		{"a resync", func(t *eventingv1.Trigger) { t.ResourceVersion = "5" }, true},
	}
	for _, tt := range tests {
		called := false
		after := base.DeepCopy()
		after.ResourceVersion = "6"
		tt.change(after)
		Handler(func(any) { called = true }).OnUpdate(base, after)
		if called != tt.want {
			t.Errorf("%s: called %t", tt.name, called)
		}
	}
	for _, give := range []func(func(any)){
		func(call func(any)) { Handler(call).OnAdd(base, false) },
		func(call func(any)) { Handler(call).OnDelete(base) },
	} {
		called := false
		if give(func(any) { called = true }); !called {
			t.Error("what comes or goes is no news")
		}
	}
}
