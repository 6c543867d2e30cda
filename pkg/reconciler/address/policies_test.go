package address

import (
	"slices"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/tools/cache"
	eventingv1 "knative.dev/eventing/pkg/apis/eventing/v1"
	eventingv1alpha1 "knative.dev/eventing/pkg/apis/eventing/v1alpha1"
)

func TestOnPolicyChange(t *testing.T) {
	brokers := cache.NewIndexer(cache.MetaNamespaceKeyFunc, cache.Indexers{})
	if err := brokers.Add(&eventingv1.Broker{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "orders"}}); err != nil {
		t.Fatal(err)
	}
	policy := &eventingv1alpha1.EventPolicy{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "p"}} // selects all in its namespace
	tests := []struct {
		name string
		give func(cache.ResourceEventHandler)
	}{
		{"added", func(h cache.ResourceEventHandler) { h.OnAdd(policy, false) }},
		{"changed", func(h cache.ResourceEventHandler) { h.OnUpdate(policy, policy) }},
		{"deleted", func(h cache.ResourceEventHandler) { h.OnDelete(policy) }},
		{"deleted while the watch was interrupted", func(h cache.ResourceEventHandler) {
			h.OnDelete(cache.DeletedFinalStateUnknown{Key: "shop/p", Obj: policy})
		}},
	}
	for _, tt := range tests {
		var called []string
		tt.give(OnPolicyChange(brokers, eventingv1.SchemeGroupVersion.WithKind("Broker").GroupKind(), func(key types.NamespacedName) {
			called = append(called, key.Name)
		}))
		if !slices.Equal(called, []string{"orders"}) {
			t.Errorf("%s: called for %v", tt.name, called)
		}
	}
}
