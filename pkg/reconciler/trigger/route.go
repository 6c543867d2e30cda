package trigger

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/types"
	eventingv1 "knative.dev/eventing/pkg/apis/eventing/v1"
	duckv1 "knative.dev/pkg/apis/duck/v1"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/compile"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/config"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/owner"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/reconciler/address"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/reconciler/broker"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/reconciler/destination"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/reconciler/readiness"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/route"
)

// putRoute makes the cursor and writes the route. What keeps it from that is in SubscriptionReady.
func (r *Reconciler) putRoute(ctx context.Context, w *work) {
	if w.broker == nil {
		return // BrokerReady says so
	}
	status := &w.trigger.Status
	known, outage := r.board.State()
	configured := r.configs.Read(w.broker, w.trigger)
	switch {
	case outage != nil:
		if !isAsKnown(w) {
			status.MarkSubscribedUnknown(ReasonNATSAway, "NATS cannot be used since %s: %s", outage.Since.UTC().Format(time.RFC3339), outage.Why)
		}
		return
	case !known: // the board calls
		if !isAsKnown(w) {
			status.MarkSubscribedUnknown(readiness.ReasonNotKnown, "what the data plane reports has not been read yet")
		}
		return
	case !configured.Usable, !address.HasLog(w.broker.Status.GetCondition(broker.ConditionStream)):
		if !isAsKnown(w) {
			status.MarkSubscribedUnknown(ReasonWaitsForBroker, "the stream of Broker %s is not there yet", w.broker.Name)
		}
		return
	}
	target, err := compileTarget(w, configured.Config)
	if err != nil {
		status.MarkNotSubscribed(ReasonInvalid, "%v", err)
		return
	}
	readiness.MarkPaused(w.status, target.Paused)
	readiness.MarkFilterIgnored(w.status, strings.Join(compile.FilterNotes(w.trigger.Spec), "; "))
	applied, err := r.routes.PutTarget(ctx, target)
	if err != nil {
		reason := ReasonNoCursor
		if errors.Is(err, owner.ErrForeignRoute) {
			reason = ReasonForeign
		}
		w.retry = retryAfter
		if r.routes.Connected() || !isAsKnown(w) { // else NATS went while it was asked, and what was known stays
			status.MarkNotSubscribed(reason, "%v", err)
		}
		return
	}
	readiness.MarkLacksHistory(w.status, applied.LacksUntil)
	w.applied, w.delivering = &applied, target.NotReady == ""
	if !w.delivering {
		status.MarkNotSubscribed(ReasonNotDelivering, "nothing is delivered: %s", target.NotReady)
	}
}

// isAsKnown reports whether the Trigger, as it is now, was seen to be served.
func isAsKnown(w *work) bool {
	status := &w.trigger.Status
	return status.ObservedGeneration == w.trigger.Generation && status.GetCondition(eventingv1.TriggerConditionSubscribed).IsTrue()
}

// compileTarget makes the target of the Trigger as it is now, with what its references resolved to.
func compileTarget(w *work, defaults config.Broker) (route.Target, error) {
	t, b := w.trigger.DeepCopy(), w.broker
	if w.subscriber == nil {
		t.Spec.Subscriber = duckv1.Destination{
			URI: t.Status.SubscriberURI, CACerts: t.Status.SubscriberCACerts, Audience: t.Status.SubscriberAudience,
		}
	}
	why := w.subscriber
	if sink := deadLetterSink(w); sink != nil {
		if hasSink(t.Spec.Delivery) {
			t.Spec.Delivery.DeadLetterSink = sink
		} else {
			b = b.DeepCopy()
			b.Spec.Delivery.DeadLetterSink = sink
		}
	} else if why == nil {
		why = w.sink
	}
	target, err := compile.Trigger(t, b, compile.Options{
		Defaults: defaults, BrokerChosen: true, AnySubscriber: true, Resolve: destination.Unresolved(why),
	})
	if err == nil && target.NotReady == "" && w.sink != nil {
		target.NotReady = fmt.Sprintf("dead letter sink: %v", w.sink)
	}
	return target, err
}

// deadLetterSink is where dead letters go, as the status says; nil when there is no sink or it has no address.
func deadLetterSink(w *work) *duckv1.Destination {
	status := w.trigger.Status.DeliveryStatus
	if !status.IsSet() {
		return nil
	}
	return &duckv1.Destination{URI: status.DeadLetterSinkURI, CACerts: status.DeadLetterSinkCACerts, Audience: status.DeadLetterSinkAudience}
}

// followFilters sets SubscriptionReady to what the filter processes report.
func (r *Reconciler) followFilters(_ context.Context, w *work) {
	if w.applied == nil || !w.delivering {
		return
	}
	who := types.NamespacedName{Namespace: w.trigger.Namespace, Name: w.trigger.Name}
	answer := r.board.Ask(who, readiness.Question{Role: route.RoleFilter, Place: w.applied.Place})
	readiness.Mark(w.status, eventingv1.TriggerConditionSubscribed, answer)
}
