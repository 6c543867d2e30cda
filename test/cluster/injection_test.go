//go:build cluster

package cluster_test

import (
	"encoding/json"
	"fmt"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	eventingv1 "knative.dev/eventing/pkg/apis/eventing/v1"
	"sigs.k8s.io/yaml"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/compile"
)

// Knative makes the Broker of a namespace that asks for one, and takes its class from config-br-defaults. It is not parallel, as
// that ConfigMap is everybody's.
func TestInjectedBroker(t *testing.T) {
	n := newNamespace(t)
	n.startSubscriber()
	n.defaultToOurs()
	trigger := n.trigger("orders", "default", "order")
	trigger.Labels = map[string]string{"e2e.eventing.knative.dev/injection": "enabled"} // what config-sugar selects here
	_, err := env.eventing.EventingV1().Triggers(n.name).Create(t.Context(), trigger, metav1.CreateOptions{})
	must(t, err)
	b := n.awaitBroker("default", "Ready", (*eventingv1.Broker).IsReady)
	if class := b.Annotations[eventingv1.BrokerClassAnnotationKey]; class != compile.BrokerClass {
		t.Errorf("the Broker's class is %s", class)
	}
	n.awaitTrigger("orders", "Ready", func(got *eventingv1.Trigger) bool { return got.Status.IsReady() })
	n.mustSend("default", "order", "1")
	n.awaitEvents("orders", 1)
}

// defaultToOurs makes our class the default of the namespace, until the test ends.
func (n *namespace) defaultToOurs() {
	n.t.Helper()
	const name, key = "config-br-defaults", "default-br-config"
	m, err := env.kube.CoreV1().ConfigMaps(systemNamespace).Get(n.t.Context(), name, metav1.GetOptions{})
	must(n.t, err)
	before := m.Data[key]
	var defaults map[string]any
	must(n.t, yaml.Unmarshal([]byte(before), &defaults))
	defaults["namespaceDefaults"] = map[string]any{n.name: map[string]any{
		"brokerClass": compile.BrokerClass, "apiVersion": "v1", "kind": "ConfigMap", "name": "config-br-jetstream", "namespace": systemNamespace,
		// A Service knows its pods a moment after they are ready.
		"delivery": map[string]any{"retry": 10, "backoffPolicy": "exponential", "backoffDelay": "PT0.2S"},
	}}
	after, err := yaml.Marshal(defaults)
	must(n.t, err)
	set := func(value string) {
		data, err := json.Marshal(map[string]any{"data": map[string]string{key: value}})
		must(n.t, err)
		_, err = env.kube.CoreV1().ConfigMaps(systemNamespace).Patch(background(n.t), name, types.MergePatchType, data, metav1.PatchOptions{})
		must(n.t, err)
	}
	set(string(after))
	n.t.Cleanup(func() { set(before) })
	// The webhook knows the ConfigMap a moment later.
	n.await("the webhook gives our class", func() (bool, any) {
		b := &eventingv1.Broker{ObjectMeta: metav1.ObjectMeta{Namespace: n.name, Name: "probe"}}
		got, err := env.eventing.EventingV1().Brokers(n.name).Create(n.t.Context(), b, metav1.CreateOptions{DryRun: []string{metav1.DryRunAll}})
		if err != nil {
			return false, err
		}
		class := got.Annotations[eventingv1.BrokerClassAnnotationKey]
		return class == compile.BrokerClass, fmt.Sprint(class)
	})
}
