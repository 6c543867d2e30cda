//go:build cluster

package cluster_test

import (
	"strings"
	"testing"

	authorizationv1 "k8s.io/api/authorization/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// What the API server itself answers: the data plane may do nothing there, and the controller reads no Secret but its webhook's and, of
// Knative, the one with the keys of RequestReplies. Of pods it may change no more than what is in their status.
func TestPermissions(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		account, verb, group, resource string
		allowed                        bool
		name                           string // of one object; "" is any
	}{
		{"ingress", "get", "", "configmaps", false, ""},
		{"ingress", "list", "eventing.knative.dev", "brokers", false, ""},
		{"filter", "get", "", "secrets", false, ""},
		{"filter", "list", "eventing.knative.dev", "triggers", false, ""},
		{"nats", "get", "", "secrets", false, ""},
		{"controller", "get", "", "secrets", false, ""},
		{"controller", "list", "", "secrets", false, ""},
		{"controller", "delete", "eventing.knative.dev", "brokers", false, ""},
		{"controller", "update", "eventing.knative.dev", "triggers", false, ""},
		{"controller", "create", "", "pods", false, ""},
		{"controller", "list", "eventing.knative.dev", "brokers", true, ""},
		{"controller", "list", "", "secrets", true, "eventing-jetstream-webhook-certs"},
		{"controller", "delete", "", "secrets", false, "eventing-jetstream-webhook-certs"},
		{"controller", "watch", "", "secrets", true, "request-reply-keys"},
		{"controller", "update", "", "secrets", false, "request-reply-keys"},
		{"controller", "list", "", "pods", true, ""},
		{"controller", "patch", "", "pods", false, ""},
		{"controller", "patch", "", "pods/status", true, ""},
		{"controller", "delete", "", "services", false, ""},
		{"controller", "update", "messaging.knative.dev", "natsjetstreamchannels", false, ""},
		{"controller", "update", "admissionregistration.k8s.io", "validatingwebhookconfigurations", false, ""},
		{"controller", "update", "admissionregistration.k8s.io", "validatingwebhookconfigurations", true, "eventing-jetstream-validation.messaging.knative.dev"},
	} {
		resource, subresource, _ := strings.Cut(row.resource, "/")
		user := "system:serviceaccount:" + systemNamespace + ":eventing-jetstream-" + row.account
		review, err := env.kube.AuthorizationV1().SubjectAccessReviews().Create(t.Context(), &authorizationv1.SubjectAccessReview{
			Spec: authorizationv1.SubjectAccessReviewSpec{
				User: user, Groups: []string{"system:serviceaccounts", "system:authenticated"},
				ResourceAttributes: &authorizationv1.ResourceAttributes{
					Namespace: systemNamespace, Verb: row.verb, Group: row.group, Resource: resource, Subresource: subresource, Name: row.name,
				},
			},
		}, metav1.CreateOptions{})
		must(t, err)
		if review.Status.Allowed != row.allowed {
			t.Errorf("%s may %s %s %s: %v", row.account, row.verb, row.resource, row.name, review.Status.Allowed)
		}
	}
}
