package main

import (
	"slices"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/labels"
	clientgotesting "k8s.io/client-go/testing"
	fakekubeclient "knative.dev/pkg/client/injection/kube/client/fake"
)

// ofTheWebhook are read by Knative's webhook, which has no other way to read the configurations; for Secrets the program gives the
// webhook an informer of its own (see TestOnlyTheWebhooksSecretIsWatched).
func ofTheWebhook() []string {
	return []string{"mutatingwebhookconfigurations", "validatingwebhookconfigurations", "secrets"}
}

// A controller that kept all ConfigMaps, Services or Pods of a large cluster would exceed its memory limit: what it reads of
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
		_, isNamed := named.RequiresExactMatch(metav1.ObjectNameField)
		if !isNamed && of.Empty() && !slices.Contains(ofTheWebhook(), resource) {
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
	if !read["configmaps"] || !read["services"] {
		t.Errorf("only these were read: %v", read)
	}
}
