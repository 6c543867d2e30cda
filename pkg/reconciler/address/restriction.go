package address

import (
	"context"
	"fmt"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	eventingv1alpha1 "knative.dev/eventing/pkg/apis/eventing/v1alpha1"
	"knative.dev/eventing/pkg/apis/feature"
	"knative.dev/eventing/pkg/auth"
	"knative.dev/pkg/apis"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/route"
)

// CheckRestrictions sets ConditionEventPolicies, and returns why the resource takes no events: somebody asked for protection that we
// do not give yet. It is "" when nobody did. Whoever sends then gets 403, or 404 where there is no
// https address yet: an address is never silently open.
func (s Steps) CheckRestrictions(ctx context.Context, r Resource) string {
	var restricted restriction
	policies, err := auth.GetEventPoliciesForResource(s.Policies, r.GetGroupVersionKind(),
		metav1.ObjectMeta{Namespace: r.GetNamespace(), Name: r.GetName(), Labels: r.GetLabels()})
	if err != nil {
		// A policy that cannot be read may well restrict.
		restricted = restriction{ReasonPolicyUnenforced, err.Error()}
	} else {
		restricted = restrictionOf(r.kind(), feature.FromContext(ctx), policies)
	}
	if restricted.reason == "" {
		r.Conditions.MarkTrueWithReason(ConditionEventPolicies, ReasonNoRestriction, "nothing restricts who may send")
		return ""
	}
	r.Conditions.MarkFalse(ConditionEventPolicies, restricted.reason, "%s", restricted.message)
	return restricted.message
}

// MarkAddressable sets the condition that says that the resource has its address, and that it is by http only where https is asked for too.
func MarkAddressable(ctx context.Context, conditions apis.ConditionManager, condition apis.ConditionType) {
	if feature.FromContext(ctx).IsPermissiveTransportEncryption() {
		conditions.MarkTrueWithReason(condition, ReasonHTTPOnly,
			"the feature %s is permissive and there is no https address yet: events are taken by http only", feature.TransportEncryption)
		return
	}
	conditions.MarkTrue(condition)
}

// Refusal is why an address takes no events; Why is empty when it takes them.
type Refusal struct {
	Of  route.Key
	Why string
}

// KeepRefusal is for a resource whose route could not be written anew, for whatever reason: the route that it has goes on being
// served, and must not be more open than the status says. It returns when to try again, or 0.
func (s Steps) KeepRefusal(ctx context.Context, r Resource, refusal Refusal) time.Duration {
	err := s.Routes.Refuse(ctx, refusal.Of, refusal.Why)
	if err == nil {
		return 0
	}
	if refusal.Why != "" {
		r.Conditions.MarkFalse(ConditionEventPolicies, ReasonNotRefused, "%s; the ingress could not be told so yet: %v", refusal.Why, err)
	}
	return RetryAfter
}

// restriction is why a resource takes no events; the zero value means that it takes them.
type restriction struct {
	reason, message string
}

// restrictionOf is a pure function of the cluster's features and of the EventPolicies that select the resource.
func restrictionOf(kind string, flags feature.Flags, policies []*eventingv1alpha1.EventPolicy) restriction {
	switch {
	case flags.IsStrictTransportEncryption(): // first: by http nobody is asked who he is
		return restriction{ReasonStrictTLS, route.NoHTTPS}
	case len(policies) > 0:
		names := make([]string, len(policies))
		for i, p := range policies {
			names[i] = p.Name
		}
		return restriction{ReasonPolicyUnenforced,
			fmt.Sprintf("EventPolicies select this %s (%s) and are not enforced yet: every event is refused", kind, strings.Join(names, ", "))}
	case flags.IsOIDCAuthentication():
		return restriction{ReasonOIDC,
			fmt.Sprintf("the feature %s is on and senders cannot be authenticated yet: every event is refused", feature.OIDCAuthentication)}
	}
	return restriction{}
}
