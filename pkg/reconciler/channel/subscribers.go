package channel

import (
	"context"
	"errors"
	"fmt"
	"slices"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	eventingduckv1 "knative.dev/eventing/pkg/apis/duck/v1"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/compile"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/owner"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/reconciler/address"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/reconciler/destination"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/reconciler/readiness"
)

// subscriber is one of the spec's, with what became of it: its route, or why nothing is delivered.
type subscriber struct {
	spec    eventingduckv1.SubscriberSpec
	applied *owner.Applied
	problem string
}

// putSubscribers makes the cursors and writes the routes of the subscribers. One that has a problem is no other's.
func (r *Reconciler) putSubscribers(ctx context.Context, w *work) {
	if w.applied == nil {
		return
	}
	source := w.source()
	for _, spec := range w.channel.Spec.Subscribers {
		s := subscriber{spec: spec}
		applied, err := r.putSubscriber(ctx, w, subscription{source, spec})
		switch {
		case err == nil:
			s.applied = &applied
		case errors.As(err, new(notDelivering)):
			s.problem = err.Error()
		default:
			s.problem = err.Error()
			w.retry = address.Sooner(w.retry, address.RetryAfter)
		}
		w.subscribers = append(w.subscribers, s)
	}
}

// subscription is a subscriber of the Channel that it belongs to.
type subscription struct {
	channel compile.ChannelSource
	spec    eventingduckv1.SubscriberSpec
}

// notDelivering is why a route says that nothing is delivered. What would change that is watched.
type notDelivering string

func (n notDelivering) Error() string { return "nothing is delivered: " + string(n) }

// putSubscriber makes the cursor and writes the route of one subscriber.
func (r *Reconciler) putSubscriber(ctx context.Context, w *work, s subscription) (owner.Applied, error) {
	target, err := compile.ChannelSubscriber(s.channel, s.spec, compile.Options{Resolve: destination.Unresolved(w.sink)})
	if err != nil {
		return owner.Applied{}, notDelivering(err.Error())
	}
	applied, err := r.routes.PutTarget(ctx, target)
	if err == nil && target.NotReady != "" {
		err = notDelivering(target.NotReady)
	}
	return applied, err
}

// lostSubscriber reports whether a subscriber that was there when the status was written is there no longer.
func (w *work) lostSubscriber() bool {
	return slices.ContainsFunc(w.channel.Status.Subscribers, func(before eventingduckv1.SubscriberStatus) bool {
		return !slices.ContainsFunc(w.channel.Spec.Subscribers, func(s eventingduckv1.SubscriberSpec) bool { return s.UID == before.UID })
	})
}

// statusWith is status.subscribers; the answers are those for the subscribers that have a route, in order.
func (w *work) statusWith(answers []readiness.Answer) []eventingduckv1.SubscriberStatus {
	var all []eventingduckv1.SubscriberStatus
	for _, s := range w.subscribers {
		status := statusOf(s.spec)
		if s.applied == nil {
			status.Ready, status.Message = corev1.ConditionFalse, s.problem
		} else {
			status.Ready, status.Message = answers[0].Status, message(answers[0])
			answers = answers[1:]
		}
		all = append(all, status)
	}
	return all
}

// statusWithoutRoute is status.subscribers when nothing new is known: as before for those that were known before.
func (w *work) statusWithoutRoute() []eventingduckv1.SubscriberStatus {
	before := map[types.UID]eventingduckv1.SubscriberStatus{}
	for _, s := range w.channel.Status.Subscribers {
		before[s.UID] = s
	}
	var all []eventingduckv1.SubscriberStatus
	for _, spec := range w.channel.Spec.Subscribers {
		status, known := before[spec.UID]
		if !known || status.ObservedGeneration != spec.Generation {
			status = statusOf(spec)
			status.Ready, status.Message = corev1.ConditionUnknown, messageWaitsForNATS
		}
		all = append(all, status)
	}
	return all
}

func statusOf(spec eventingduckv1.SubscriberSpec) eventingduckv1.SubscriberStatus {
	return eventingduckv1.SubscriberStatus{UID: spec.UID, ObservedGeneration: spec.Generation}
}

func message(a readiness.Answer) string {
	if a.Status == corev1.ConditionTrue {
		return ""
	}
	return fmt.Sprintf("%s: %s", a.Reason, a.Message)
}
