package v1alpha1

import (
	"context"

	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/types"
	eventingduckv1 "knative.dev/eventing/pkg/apis/duck/v1"
	"knative.dev/pkg/apis"
)

func checkSubscribers(subscribers []eventingduckv1.SubscriberSpec) (errs *apis.FieldError) {
	seen := map[types.UID]bool{}
	for i, s := range subscribers {
		if s.SubscriberURI == nil && s.ReplyURI == nil {
			errs = errs.Also(apis.ErrMissingOneOf("subscriberUri", "replyUri").ViaFieldIndex("subscribers", i))
		}
		switch {
		case s.UID == "":
			errs = errs.Also(apis.ErrMissingField("uid").ViaFieldIndex("subscribers", i))
		case seen[s.UID]:
			errs = errs.Also(apis.ErrInvalidValue(s.UID, "uid", "is another subscriber's").ViaFieldIndex("subscribers", i))
		}
		seen[s.UID] = true
	}
	return errs
}

type subscribingUserKey struct{}

// WithSubscribingUser has Validate refuse a change of a channel's subscribers by anybody else than this user: Knative's controller,
// which writes there what it has found out of each Subscription. Whoever else changes them takes events that are not meant for them.
// Source of the rule: knative.dev/eventing test/conformance, TestChannelSpec.
func WithSubscribingUser(ctx context.Context, name string) context.Context {
	return context.WithValue(ctx, subscribingUserKey{}, name)
}

func (s *NatsJetStreamChannelSpec) checkWhoSubscribes(ctx context.Context, original *NatsJetStreamChannelSpec) *apis.FieldError {
	allowed, restricted := ctx.Value(subscribingUserKey{}).(string)
	if !restricted || equality.Semantic.DeepEqual(s.Subscribers, original.Subscribers) {
		return nil
	}
	name := ""
	if user := apis.GetUserInfo(ctx); user != nil {
		name = user.Username
	}
	if name == allowed {
		return nil
	}
	return &apis.FieldError{
		Message: "Subscribers changed by " + name, Paths: []string{"subscribers"},
		Details: "only " + allowed + " may: make a Subscription",
	}
}
