//go:build cluster

package cluster_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	eventingv1 "knative.dev/eventing/pkg/apis/eventing/v1"
	eventingv1alpha1 "knative.dev/eventing/pkg/apis/eventing/v1alpha1"
	"knative.dev/eventing/pkg/apis/feature"
)

// What nobody enforces must not look like what somebody does. This test disturbs all others, so it is not parallel.
func TestProtectionIsNeverSilentlyMissing(t *testing.T) {
	n := newNamespace(t)
	n.createBroker(n.broker("default"))
	setFeature(t, feature.OIDCAuthentication, feature.Enabled)
	t.Cleanup(func() { setFeature(t, feature.OIDCAuthentication, feature.Disabled) })
	n.isRefused("authentication-oidc", http.StatusForbidden)
	// Knative takes EventPolicies only while the feature is on. One that is there says who may send, whatever the feature.
	sender := "system:serviceaccount:default:friend"
	policies := env.eventing.EventingV1alpha1().EventPolicies(n.name)
	_, err := policies.Create(t.Context(), &eventingv1alpha1.EventPolicy{
		ObjectMeta: metav1.ObjectMeta{Name: "friends"},
		Spec: eventingv1alpha1.EventPolicySpec{
			To: []eventingv1alpha1.EventPolicySpecTo{{Ref: &eventingv1alpha1.EventPolicyToReference{
				APIVersion: "eventing.knative.dev/v1", Kind: "Broker", Name: "default",
			}}},
			From: []eventingv1alpha1.EventPolicySpecFrom{{Sub: &sender}},
		},
	}, metav1.CreateOptions{})
	must(t, err)
	setFeature(t, feature.OIDCAuthentication, feature.Disabled)
	n.isRefused("EventPolicies", http.StatusForbidden)
	must(t, policies.Delete(t.Context(), "friends", metav1.DeleteOptions{}))
	n.awaitBroker("default", "Ready again", (*eventingv1.Broker).IsReady)
	setFeature(t, feature.TransportEncryption, feature.Strict)
	t.Cleanup(func() { setFeature(t, feature.TransportEncryption, feature.Disabled) })
	n.isRefused("transport-encryption", http.StatusNotFound) // a sender tries again: by then it may know the https address
}

// isRefused waits until the Broker says why it takes nothing, and the ingress answers with the status.
func (n *namespace) isRefused(why string, status int) {
	n.t.Helper()
	b := n.awaitBroker("default", "refused for "+why, func(b *eventingv1.Broker) bool {
		c := b.Status.GetCondition(eventingv1.BrokerConditionEventPoliciesReady)
		return !b.IsReady() && c.IsFalse() && strings.Contains(c.GetMessage(), why)
	})
	n.t.Log(b.Status.GetCondition(eventingv1.BrokerConditionEventPoliciesReady).GetMessage())
	n.await("the ingress refuses", func() (bool, any) { s := n.send("default", "a", "1"); return s == status, s })
}

func setFeature(t testing.TB, name string, value feature.Flag) {
	t.Helper()
	patch := fmt.Sprintf(`{"data":{%q:%q}}`, name, value)
	_, err := env.kube.CoreV1().ConfigMaps(systemNamespace).Patch(background(t), "config-features", types.MergePatchType, []byte(patch), metav1.PatchOptions{})
	must(t, err)
}
