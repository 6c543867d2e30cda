package channel

import (
	"context"
	"strings"

	eventingduckv1 "knative.dev/eventing/pkg/apis/duck/v1"
	"knative.dev/eventing/pkg/apis/feature"
	"knative.dev/pkg/apis"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/apis/messaging/v1alpha1"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/compile"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/reconciler/address"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/reconciler/destination"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/reconciler/readiness"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/route"
)

// nameIgnored sets ConditionHonoured.
func (r *Reconciler) nameIgnored(_ context.Context, w *work) {
	ignored := w.channel.Spec.Ignored()
	if len(ignored) == 0 {
		w.status.MarkTrue(v1alpha1.ConditionHonoured)
		return
	}
	reasons := make([]string, len(ignored))
	for i, field := range ignored {
		reasons[i] = field.Field + ": " + field.Why
	}
	w.status.MarkFalse(v1alpha1.ConditionHonoured, ReasonIgnored, "%s", "ignored: "+strings.Join(reasons, "; "))
}

// resolveDeadLetterSink sets ConditionDeadLetterSink and status.deadLetterSinkUri. Without an address the Channel still takes
// events; subscribers that have no sink of their own wait.
func (r *Reconciler) resolveDeadLetterSink(ctx context.Context, w *work) {
	status := &w.channel.Status
	spec := w.channel.Spec.Delivery
	status.DeliveryStatus = eventingduckv1.DeliveryStatus{}
	if spec == nil || spec.DeadLetterSink == nil {
		w.status.MarkTrueWithReason(v1alpha1.ConditionDeadLetterSink, ReasonNoSink, "no dead letter sink is configured")
		return
	}
	sink, err := destination.Resolve(ctx, r.resolver, *spec.DeadLetterSink, w.channel)
	if err != nil {
		w.sink, w.retry = err, address.RetryAfter
		w.status.MarkFalse(v1alpha1.ConditionDeadLetterSink, ReasonUnresolved, "%v", err)
		return
	}
	status.DeliveryStatus = eventingduckv1.NewDeliveryStatusFromAddressable(sink)
	w.status.MarkTrue(v1alpha1.ConditionDeadLetterSink)
}

// checkRestrictions sets ConditionEventPolicies.
func (r *Reconciler) checkRestrictions(ctx context.Context, w *work) {
	w.channel.Status.Policies = nil // these are the policies that are enforced
	w.refuse = r.steps.CheckRestrictions(ctx, w.resource)
}

// checkNATS sets ConditionNATS. The other conditions stay as they were known while NATS is away.
func (r *Reconciler) checkNATS(_ context.Context, w *work) {
	w.connected = r.steps.CheckNATS(w.resource)
}

// putRoute sets ConditionStream: it makes the stream, or finds the one that is to be adopted, and writes the route.
func (r *Reconciler) putRoute(ctx context.Context, w *work) {
	if !w.connected {
		return
	}
	a, err := compile.Channel(w.source(), compile.Options{Resolve: destination.Unresolved(w.sink)})
	if err != nil {
		w.status.MarkFalse(v1alpha1.ConditionStream, ReasonInvalid, "%v", err)
		return
	}
	a.Refuse = w.refuse
	a.RecordEventTypes = feature.FromContext(ctx).IsEnabled(feature.EvenTypeAutoCreate)
	readiness.MarkPaused(w.status, compile.PausedBy(w.channel.Annotations))
	put := r.steps.PutRoute(ctx, w.resource, a)
	w.applied, w.retry = put.Applied, address.Sooner(w.retry, put.Retry)
}

// keepRefusal has a route that could not be written anew refuse what has to be refused.
func (r *Reconciler) keepRefusal(ctx context.Context, w *work) {
	if w.connected && w.applied == nil {
		w.retry = address.Sooner(w.retry, r.steps.KeepRefusal(ctx, w.resource, address.Refusal{Of: compile.ChannelKey(w.channel.Namespace, w.channel.Name), Why: w.refuse}))
	}
}

// followDataPlane sets ConditionIngress and status.subscribers to what the ingress and filter processes report.
func (r *Reconciler) followDataPlane(_ context.Context, w *work) {
	if w.lostSubscriber() {
		r.deleted()
	}
	if w.applied == nil {
		w.channel.Status.Subscribers = w.statusWithoutRoute()
		return
	}
	questions := []readiness.Question{{Role: route.RoleIngress, Place: w.applied.Place}}
	for _, s := range w.subscribers {
		if s.applied != nil {
			questions = append(questions, readiness.Question{Role: route.RoleFilter, Place: s.applied.Place})
		}
	}
	answers := r.board.AskAll(w.resource.Key(), questions)
	w.markIngress(answers[0])
	w.channel.Status.Subscribers = w.statusWith(answers[1:])
}

// markIngress sets ConditionIngress. A stream that was adopted and does not take what we publish is somebody else's to change.
func (w *work) markIngress(answer readiness.Answer) {
	if w.refuse == "" && w.applied.Refuse != "" {
		w.status.MarkFalse(v1alpha1.ConditionIngress, ReasonNotListening, "%s", w.applied.Refuse)
		return
	}
	readiness.Mark(w.status, v1alpha1.ConditionIngress, answer)
}

// httpURL is the address of a host.
func httpURL(host string) *apis.URL { return &apis.URL{Scheme: "http", Host: host} }
