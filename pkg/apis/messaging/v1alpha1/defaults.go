package v1alpha1

import (
	"context"

	"knative.dev/eventing/pkg/apis/messaging"
	"knative.dev/pkg/apis"
)

// subscribableVersion is the version of the duck type Subscribable that the spec has.
const subscribableVersion = "v1"

// SetDefaults fills in what Knative wants to find on a channel. What NATS is asked for is not filled in: defaults may change,
// and a manifest that names none follows them.
func (c *NatsJetStreamChannel) SetDefaults(ctx context.Context) {
	if c.Annotations[messaging.SubscribableDuckVersionAnnotation] == "" {
		if c.Annotations == nil {
			c.Annotations = map[string]string{}
		}
		c.Annotations[messaging.SubscribableDuckVersionAnnotation] = subscribableVersion
	}
	c.Spec.Delivery.SetDefaults(apis.WithinParent(ctx, c.ObjectMeta))
}
