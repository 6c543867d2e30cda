package broker

import (
	"fmt"
	"strings"

	eventingv1alpha1 "knative.dev/eventing/pkg/apis/eventing/v1alpha1"
	"knative.dev/eventing/pkg/apis/feature"
)

// restriction is why a Broker takes no events: somebody asked for protection that we do not give yet. The zero value means
// that nobody did. Whoever sends then gets 403: a Broker is never silently open.
type restriction struct {
	reason, message string
}

// restrictionOf is a pure function of the cluster's features and of the EventPolicies that select the Broker.
func restrictionOf(flags feature.Flags, policies []*eventingv1alpha1.EventPolicy) restriction {
	switch {
	case len(policies) > 0:
		names := make([]string, len(policies))
		for i, p := range policies {
			names[i] = p.Name
		}
		return restriction{ReasonPolicyUnenforced,
			fmt.Sprintf("EventPolicies select this Broker (%s) and are not enforced yet: every event is refused", strings.Join(names, ", "))}
	case flags.IsOIDCAuthentication():
		return restriction{ReasonOIDC,
			fmt.Sprintf("the feature %s is on and senders cannot be authenticated yet: every event is refused", feature.OIDCAuthentication)}
	case flags.IsStrictTransportEncryption():
		return restriction{ReasonStrictTLS,
			fmt.Sprintf("the feature %s is strict and there is no https address yet: every event is refused", feature.TransportEncryption)}
	}
	return restriction{}
}
