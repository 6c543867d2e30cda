package trigger

import (
	"context"
	"fmt"

	apierrs "k8s.io/apimachinery/pkg/api/errors"
	eventingduckv1 "knative.dev/eventing/pkg/apis/duck/v1"
	eventingv1 "knative.dev/eventing/pkg/apis/eventing/v1"
	"knative.dev/eventing/pkg/apis/feature"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/compile"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/reconciler/destination"
)

// isForeign reports whether the Trigger's Broker is there and of another class.
func (r *Reconciler) isForeign(ctx context.Context, t *eventingv1.Trigger) bool {
	key := compile.ChosenBroker(t, feature.FromContext(ctx).IsCrossNamespaceEventLinks())
	b, err := r.brokers.Brokers(key.Namespace).Get(key.Name)
	return err == nil && b.Annotations[compile.ClassAnnotation] != compile.BrokerClass
}

// findBroker sets BrokerReady. A Trigger comes here without a Broker only when its Broker was ours and is gone.
func (r *Reconciler) findBroker(ctx context.Context, w *work) {
	key := compile.ChosenBroker(w.trigger, feature.FromContext(ctx).IsCrossNamespaceEventLinks())
	b, err := r.brokers.Brokers(key.Namespace).Get(key.Name)
	switch {
	case apierrs.IsNotFound(err):
		w.trigger.Status.MarkBrokerFailed(ReasonBrokerMissing, "Broker %q does not exist", key.Name)
	case err != nil:
		w.trigger.Status.MarkBrokerUnknown(ReasonBrokerMissing, "Broker %q: %v", key.Name, err)
	default:
		w.broker = b
		ready := b.Status.GetTopLevelCondition()
		if ready.IsUnknown() { // what it waits for is in its own status
			w.trigger.Status.MarkBrokerUnknown(ReasonWaitsForBroker, "Broker %q is not ready yet", b.Name)
			return
		}
		w.trigger.Status.PropagateBrokerCondition(ready)
	}
}

// resolveSubscriber sets SubscriberResolved and status.subscriberUri, which is emptied when there is no address
// (knative/specs, Trigger lifecycle).
func (r *Reconciler) resolveSubscriber(ctx context.Context, w *work) {
	status := &w.trigger.Status
	address, err := destination.Resolve(ctx, r.resolver, w.trigger.Spec.Subscriber, w.trigger)
	if err != nil {
		w.subscriber, w.retry = err, retryAfter
		status.SubscriberURI, status.SubscriberCACerts, status.SubscriberAudience = nil, nil, nil
		status.MarkSubscriberResolvedFailed(ReasonUnresolved, "%v", err)
		return
	}
	status.SubscriberURI, status.SubscriberCACerts, status.SubscriberAudience = address.URL, address.CACerts, address.Audience
	status.MarkSubscriberResolvedSucceeded()
}

// resolveDeadLetterSink sets DeadLetterSinkResolved and status.deadLetterSinkUri: the Trigger's own sink, else its Broker's.
func (r *Reconciler) resolveDeadLetterSink(ctx context.Context, w *work) {
	status := &w.trigger.Status
	switch {
	case hasSink(w.trigger.Spec.Delivery):
		address, err := destination.Resolve(ctx, r.resolver, *w.trigger.Spec.Delivery.DeadLetterSink, w.trigger)
		if err != nil {
			r.sinkFailed(w, err)
			w.retry = retryAfter
			return
		}
		status.DeliveryStatus = eventingduckv1.NewDeliveryStatusFromAddressable(address)
		status.MarkDeadLetterSinkResolvedSucceeded()
	case w.broker == nil:
	case !hasSink(w.broker.Spec.Delivery):
		status.DeliveryStatus = eventingduckv1.DeliveryStatus{}
		status.MarkDeadLetterSinkNotConfigured()
	case w.broker.Status.DeliveryStatus.IsSet():
		status.DeliveryStatus = w.broker.Status.DeliveryStatus
		status.MarkDeadLetterSinkResolvedSucceeded()
	default:
		r.sinkFailed(w, fmt.Errorf("the dead letter sink of Broker %s has no address", w.broker.Name))
	}
}

func (r *Reconciler) sinkFailed(w *work, err error) {
	w.sink = err
	w.trigger.Status.DeliveryStatus = eventingduckv1.DeliveryStatus{}
	w.trigger.Status.MarkDeadLetterSinkResolvedFailed(ReasonSinkUnresolved, "%v", err)
}

func hasSink(spec *eventingduckv1.DeliverySpec) bool {
	return spec != nil && spec.DeadLetterSink != nil
}

// checkIdentity sets OIDCIdentityCreated. While the feature is on, the Broker refuses every event (see package broker), and
// the Trigger says why it gets none.
func (r *Reconciler) checkIdentity(ctx context.Context, w *work) {
	w.trigger.Status.Auth = nil
	if feature.FromContext(ctx).IsOIDCAuthentication() {
		w.trigger.Status.MarkOIDCIdentityCreatedFailed(ReasonOIDC, "the feature %s is on and is not supported yet", feature.OIDCAuthentication)
		return
	}
	w.trigger.Status.MarkOIDCIdentityCreatedSucceededWithReason(fmt.Sprintf("%s feature disabled", feature.OIDCAuthentication), "")
}
