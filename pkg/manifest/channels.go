package manifest

import (
	"context"
	"errors"
	"slices"

	messagingv1 "knative.dev/eventing/pkg/apis/messaging/v1"
	"knative.dev/pkg/apis"
	duckv1 "knative.dev/pkg/apis/duck/v1"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/compile"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/route"
)

// knownChannel is a Channel of the files, with what its Subscriptions are compiled with.
type knownChannel struct {
	compile.ChannelSource
	// kind is what backs it when that is not ours.
	kind string
}

func (r *router) addChannel(at place, c *messagingv1.Channel) {
	ctx := upstreamContext(r.defaults)
	templateGiven := c.Spec.ChannelTemplate != nil
	c.SetDefaults(ctx)
	if !templateGiven {
		c.Spec.ChannelTemplate = &messagingv1.ChannelTemplateSpec{}
		c.Spec.ChannelTemplate.APIVersion, c.Spec.ChannelTemplate.Kind = compile.ChannelAPIVersion, compile.ChannelKind
	}
	errs := c.Validate(ctx)
	source, ours, err := compile.StandaloneChannel(c, r.options)
	key := compile.ChannelKey(c.Namespace, c.Name)
	if !ours {
		r.channels[key] = knownChannel{kind: c.Spec.ChannelTemplate.Kind}
		r.ignore(at, "Channel %s/%s is a %s, not a %s", c.Namespace, c.Name, c.Spec.ChannelTemplate.Kind, compile.ChannelKind)
		return
	}
	r.channels[key] = knownChannel{ChannelSource: source}
	var address route.Address
	if err == nil {
		address, err = compile.Channel(source, r.options)
	}
	at.fieldProblems(r.problems, fieldError(err), errs)
	for _, note := range address.Notes {
		r.note(at, "Channel %s/%s: %s", c.Namespace, c.Name, note)
	}
	r.out.desired.Addresses = append(r.out.desired.Addresses, address)
}

func (r *router) addSubscription(at place, s *messagingv1.Subscription) {
	ctx := upstreamContext(r.defaults)
	s.SetDefaults(ctx)
	errs := validateSubscription(ctx, s)
	ref := s.Spec.Channel
	if ref.Kind != "" && !slices.Contains(channelKinds(), ref.Kind) {
		r.ignore(at, "Subscription %s/%s: its channel is a %s", s.Namespace, s.Name, ref.Kind)
		return
	}
	channel, found := r.channels[compile.ChannelKey(s.Namespace, ref.Name)]
	if !found {
		// The Subscription is checked all the same: its Channel may come with the next change.
		channel.Namespace, channel.Name = s.Namespace, ref.Name
	}
	target, err := compile.Subscription(s, channel.ChannelSource, r.options)
	at.fieldProblems(r.problems, fieldError(err), errs)
	switch {
	case !found:
		r.ignore(at, "Subscription %s/%s: Channel %s not found", s.Namespace, s.Name, ref.Name)
		return
	case channel.kind != "":
		r.ignore(at, "Subscription %s/%s: Channel %s is a %s", s.Namespace, s.Name, ref.Name, channel.kind)
		return
	case target.NotReady != "":
		r.note(at, "Subscription %s/%s is not ready: %s", s.Namespace, s.Name, target.NotReady)
	}
	if target.Paused != "" {
		r.note(at, "Subscription %s/%s is paused: %s", s.Namespace, s.Name, target.Paused)
	}
	r.out.desired.Targets = append(r.out.desired.Targets, target)
}

// channelKinds are the kinds by which a reference can name a Channel of the files: its own, and that of what core makes of it.
func channelKinds() []string { return []string{"Channel", compile.ChannelKind} }

// validateSubscription is upstream's Validate, but takes what its types allow and a Channel can do: a reply without a subscriber.
func validateSubscription(ctx context.Context, s *messagingv1.Subscription) *apis.FieldError {
	checked := s.DeepCopy()
	if checked.Spec.Subscriber == nil && checked.Spec.Reply != nil {
		checked.Spec.Subscriber = checked.Spec.Reply.DeepCopy()
	}
	return checked.Validate(ctx)
}

// resolver finds the URLs of the Brokers and Channels of the files, and leaves every other reference to the one that was given.
func (l *loader) resolver() compile.Resolver {
	given := l.options.Resolve
	return func(ref duckv1.KReference) (string, error) {
		key, there := l.addressOf(ref)
		if there && l.options.IngressURL != "" {
			return l.options.IngressURL + key.Path(), nil
		}
		url, err := "", errors.New("there is nothing that resolves references")
		if given != nil {
			url, err = given(ref)
		}
		if there && err != nil {
			err = errors.New("give the URL of the ingress with --ingress-url")
		}
		return url, err
	}
}

// addressOf tells what address a reference names, if that is in the files.
func (l *loader) addressOf(ref duckv1.KReference) (route.Key, bool) {
	key, kind := compile.BrokerKey(ref.Namespace, ref.Name), "Broker"
	if slices.Contains(channelKinds(), ref.Kind) {
		key, kind = compile.ChannelKey(ref.Namespace, ref.Name), "Channel"
	} else if ref.Kind != kind {
		return route.Key{}, false
	}
	_, there := l.homes[kind+" "+ref.Namespace+"/"+ref.Name]
	return key, there
}
