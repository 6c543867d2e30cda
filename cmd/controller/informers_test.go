package main

import (
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/labels"
	clientgotesting "k8s.io/client-go/testing"
	fakekubeclient "knative.dev/pkg/client/injection/kube/client/fake"
)

// A controller that kept all ConfigMaps, Secrets, Services or Pods of a large cluster would exceed its memory limit: what it reads of
// Kubernetes' own resources it names, or selects by a label.
func TestNothingOfKubernetesIsReadWhole(t *testing.T) {
	c, s := start(t), newSubscriber(t)
	c.createConfigMap(&corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "settings"}})
	b := brokerNamed("orders")
	b.Spec.Config = configRef("settings")
	c.createBroker(b)
	c.createTrigger(triggerNamed("billing", "orders", s.url))
	c.createChannel("orders", subscriberAt("one", s.url))
	c.awaitTriggerReady("billing")
	c.awaitChannelReady("orders")
	read := map[string]bool{}
	check := func(action clientgotesting.Action, of labels.Selector, named fields.Selector) {
		resource := action.GetResource().Resource
		read[resource] = true
		if _, isNamed := named.RequiresExactMatch(metav1.ObjectNameField); !isNamed && of.Empty() {
			t.Errorf("%s of all %s", action.GetVerb(), resource)
		}
	}
	for _, action := range fakekubeclient.Get(c.ctx).Actions() {
		if list, is := action.(clientgotesting.ListAction); is {
			check(action, list.GetListRestrictions().Labels, list.GetListRestrictions().Fields)
		}
		if watch, is := action.(clientgotesting.WatchAction); is {
			check(action, watch.GetWatchRestrictions().Labels, watch.GetWatchRestrictions().Fields)
		}
	}
	for _, resource := range []string{"configmaps", "services", "secrets"} {
		if !read[resource] {
			t.Errorf("no %s were read, which is not what runs in a cluster; but %v", resource, read)
		}
	}
}
