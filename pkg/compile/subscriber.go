package compile

import (
	"cmp"

	eventingduckv1 "knative.dev/eventing/pkg/apis/duck/v1"
	messagingv1 "knative.dev/eventing/pkg/apis/messaging/v1"
	"knative.dev/pkg/apis"
	duckv1 "knative.dev/pkg/apis/duck/v1"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/config"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/route"
)

// ChannelSubscriber makes the target of one of a Channel's spec.subscribers, where core has put what is resolved of a Subscription. Its
// key is the Subscription's UID. One that has no URL to send to is not ready.
func ChannelSubscriber(c ChannelSource, s eventingduckv1.SubscriberSpec, o Options) (route.Target, error) {
	target := targetOf(c, o)
	target.Key.Namespace, target.Key.Name = c.Namespace, string(s.UID)
	target.UID, target.Name = string(s.UID), orEmpty(s.Name)
	var errs, err *apis.FieldError
	if s.UID == "" {
		errs = errs.Also(apis.ErrMissingField("uid"))
	}
	target.Subscriber, err = resolved(s.SubscriberURI, s.SubscriberCACerts, s.SubscriberAudience)
	errs = errs.Also(err.ViaField("subscriberUri"))
	target.Reply, err = resolved(s.ReplyURI, s.ReplyCACerts, s.ReplyAudience)
	errs = errs.Also(err.ViaField("replyUri"))
	errs = errs.Also(deliveries{
		own: s.Delivery, ownNamespace: c.Namespace, ownPath: "delivery", address: c.Delivery, addressNamespace: c.Namespace,
	}.compile(o, &target))
	// Core hands on all of a Channel's delivery spec but the format (knative.dev/eventing pkg/reconciler/subscription/subscription.go).
	ofChannel, _ := compilePolicy(c.Delivery)
	target.Delivery.Format = cmp.Or(target.Delivery.Format, ofChannel.Format)
	return finish(target, c, errs)
}

// resolved is the destination at a URL that core has resolved; nil when there is none.
func resolved(url *apis.URL, caCerts, audience *string) (*route.Destination, *apis.FieldError) {
	if url == nil {
		return nil, nil
	}
	target, err := parseAbsolute(url.String())
	if err != nil {
		return nil, apis.ErrInvalidValue(url.URL().Redacted(), apis.CurrentField, err.Error())
	}
	return &route.Destination{URL: target.String(), CACerts: orEmpty(caCerts), Audience: orEmpty(audience)}, nil
}

// Subscription makes the target of a Subscription to the Channel, for the case that there is no core to resolve it. A reference
// that is not resolved leaves a target that is not ready and says why.
func Subscription(s *messagingv1.Subscription, c ChannelSource, o Options) (route.Target, error) {
	target := targetOf(c, o)
	target.Key.Namespace, target.Key.Name, target.UID = s.Namespace, s.Name, string(s.UID)
	settings := config.TargetSettings(&target.MaxInFlight)
	settings[startSetting] = config.StartSetting(&target.Start, madeAt(s.ObjectMeta))
	settings[pausedSetting] = config.PausedSetting(&target.Paused)
	settings[copySetting] = config.CopySetting(&target.DeadLetterCopy)
	errs := apply(s.Annotations, "Subscription", settings)
	errs = errs.Also(deliveries{
		own: s.Spec.Delivery, ownNamespace: s.Namespace, ownPath: "spec.delivery", address: c.Delivery, addressNamespace: c.Namespace,
	}.compile(o, &target))
	for _, at := range []struct {
		field string
		from  *duckv1.Destination
		to    **route.Destination
	}{{"reply", s.Spec.Reply, &target.Reply}, {"subscriber", s.Spec.Subscriber, &target.Subscriber}} {
		if at.from == nil || *at.from == (duckv1.Destination{}) {
			continue
		}
		found, err := locate(at.from, s.Namespace, o.Resolve)
		errs = errs.Also(err.ViaField("spec", at.field))
		*at.to = found.to
		if found.unresolved != "" {
			target.NotReady = joinReasons(at.field+" "+found.unresolved, target.NotReady)
		}
	}
	return finish(target, c, errs)
}

// targetOf is what all subscribers of a Channel have in common.
func targetOf(c ChannelSource, o Options) route.Target {
	t := route.Target{
		Key:         route.TargetKey{Address: ChannelKey(c.Namespace, c.Name)},
		Owner:       o.Owner,
		MaxInFlight: cmp.Or(c.MaxInFlight, o.Defaults.MaxInFlight, route.DefaultMaxInFlight),
		Start:       c.Start,

		DeadLetterCopy: c.DeadLetterCopy,
	}
	if c.Log != nil && c.Log.Stream != "" {
		t.Stream, t.Subjects = c.Log.Stream, c.Log.Subjects
	}
	return t
}

func finish(t route.Target, c ChannelSource, errs *apis.FieldError) (route.Target, error) {
	if errs != nil {
		return route.Target{}, errs
	}
	t.Paused = pausedWith(t.Paused, "Channel", c.Paused)
	if t.Endpoint() == nil && t.NotReady == "" {
		t.NotReady = "it has neither a subscriber nor a reply"
	}
	return t, nil
}
