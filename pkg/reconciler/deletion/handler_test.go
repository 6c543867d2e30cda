package deletion

import (
	"slices"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/tools/cache"
	eventingv1 "knative.dev/eventing/pkg/apis/eventing/v1"
	eventingv1alpha1 "knative.dev/eventing/pkg/apis/eventing/v1alpha1"
	"knative.dev/eventing/pkg/auth"
	"knative.dev/pkg/controller"
	"knative.dev/pkg/reconciler"
)

// The handlers are of the kinds that the controllers have.
func TestMissedDeletionsAreHandled(t *testing.T) {
	broker := &eventingv1.Broker{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "orders", Annotations: map[string]string{"class": "ours"}}}
	foreign := &eventingv1.Broker{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "foreign"}}
	policy := &eventingv1alpha1.EventPolicy{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "p"}} // selects all in its namespace
	brokers := cache.NewIndexer(cache.MetaNamespaceKeyFunc, cache.Indexers{cache.NamespaceIndex: cache.MetaNamespaceIndexFunc})
	if err := brokers.Add(broker); err != nil {
		t.Fatal(err)
	}
	var told []string
	tell := func(object any) {
		if b, ok := object.(*eventingv1.Broker); ok {
			told = append(told, b.Name)
		}
	}
	filtered := cache.FilteringResourceEventHandler{
		FilterFunc: reconciler.AnnotationFilterFunc("class", "ours", false), Handler: controller.HandleAll(tell),
	}
	selected := auth.EventPolicyEventHandler(brokers, eventingv1.SchemeGroupVersion.WithKind("Broker").GroupKind(),
		func(key types.NamespacedName) { told = append(told, key.Name) })
	for _, tt := range []struct {
		name    string
		handler cache.ResourceEventHandler
		object  any
		want    []string
	}{
		{"a Broker", filtered, broker, []string{"orders"}},
		{"a Broker that was missed", filtered, cache.DeletedFinalStateUnknown{Key: "shop/orders", Obj: broker}, []string{"orders"}},
		{"a foreign Broker that was missed", filtered, cache.DeletedFinalStateUnknown{Key: "shop/foreign", Obj: foreign}, nil},
		{"an EventPolicy", selected, policy, []string{"orders"}},
		{"an EventPolicy that was missed", selected, cache.DeletedFinalStateUnknown{Key: "shop/p", Obj: policy}, []string{"orders"}},
		{"one of which nothing is known", filtered, cache.DeletedFinalStateUnknown{Key: "shop/orders"}, nil},
	} {
		told = nil
		Handler(tt.handler).OnDelete(tt.object)
		if !slices.Equal(told, tt.want) {
			t.Errorf("%s: told of %v, want %v", tt.name, told, tt.want)
		}
	}
}
