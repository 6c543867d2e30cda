package broker

import (
	"context"
	"errors"
	"fmt"
	"time"

	eventingduckv1 "knative.dev/eventing/pkg/apis/duck/v1"
	eventingv1 "knative.dev/eventing/pkg/apis/eventing/v1"
	"knative.dev/eventing/pkg/apis/feature"
	"knative.dev/eventing/pkg/auth"
	"knative.dev/pkg/apis"
	duckv1 "knative.dev/pkg/apis/duck/v1"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/compile"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/reconciler/destination"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/reconciler/readiness"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/route"
)

// readConfig sets ConditionConfig.
func (r *Reconciler) readConfig(_ context.Context, w *work) {
	result := r.configs.Read(w.broker, w.broker)
	w.config, w.configured = result.Config, result.Usable
	switch {
	case !result.Usable:
		w.status.MarkFalse(ConditionConfig, result.Reason, "%s", result.Message)
	case result.Reason != "":
		w.status.MarkTrueWithReason(ConditionConfig, result.Reason, "%s", result.Message)
	default:
		w.status.MarkTrue(ConditionConfig)
	}
}

// resolveDeadLetterSink sets ConditionDeadLetterSink and status.deadLetterSinkUri. Without an address the Broker still takes
// events; its Triggers wait.
func (r *Reconciler) resolveDeadLetterSink(ctx context.Context, w *work) {
	spec := w.broker.Spec.Delivery
	if spec == nil || spec.DeadLetterSink == nil {
		w.broker.Status.MarkDeadLetterSinkNotConfigured()
		return
	}
	address, err := destination.Resolve(ctx, r.resolver, *spec.DeadLetterSink, w.broker)
	if err != nil {
		w.sink = err
		w.retry = retryAfter
		w.broker.Status.MarkDeadLetterSinkResolvedFailed(ReasonUnresolved, "%v", err)
		return
	}
	w.broker.Status.MarkDeadLetterSinkResolvedSucceeded(eventingduckv1.NewDeliveryStatusFromAddressable(address))
}

// checkRestrictions sets ConditionEventPolicies.
func (r *Reconciler) checkRestrictions(ctx context.Context, w *work) {
	w.broker.Status.Policies = nil // these are the policies that are enforced
	flags := feature.FromContext(ctx)
	policies, err := auth.GetEventPoliciesForResource(r.policies, eventingv1.SchemeGroupVersion.WithKind("Broker"), w.broker.ObjectMeta)
	if err != nil {
		// A policy that cannot be read may well restrict.
		w.restricted = restriction{ReasonPolicyUnenforced, err.Error()}
	} else {
		w.restricted = restrictionOf(flags, policies)
	}
	if w.restricted.reason == "" {
		w.status.MarkTrueWithReason(ConditionEventPolicies, ReasonNoRestriction, "nothing restricts who may send")
		return
	}
	w.status.MarkFalse(ConditionEventPolicies, w.restricted.reason, "%s", w.restricted.message)
}

// setAddress sets ConditionAddressable, status.address and status.addresses.
func (r *Reconciler) setAddress(ctx context.Context, w *work) {
	status := &w.broker.Status
	if feature.FromContext(ctx).IsStrictTransportEncryption() {
		status.AddressStatus = duckv1.AddressStatus{}
		w.status.MarkFalse(ConditionAddressable, ReasonStrictTLS, "there is no https address yet")
		return
	}
	scheme := "http"
	address := duckv1.Addressable{
		Name: &scheme,
		URL:  &apis.URL{Scheme: scheme, Host: r.ingressHost, Path: fmt.Sprintf("/%s/%s", w.broker.Namespace, w.broker.Name)},
	}
	status.AddressStatus = duckv1.AddressStatus{Address: &address, Addresses: []duckv1.Addressable{address}}
	w.status.MarkTrue(ConditionAddressable)
}

// checkNATS sets ConditionNATS. The other conditions stay as they were known while NATS is away.
func (r *Reconciler) checkNATS(_ context.Context, w *work) {
	known, outage := r.board.State()
	switch {
	case outage != nil:
		w.status.MarkFalse(ConditionNATS, ReasonNATSAway, "NATS cannot be used since %s: %s", outage.Since.UTC().Format(time.RFC3339), outage.Why)
	case !known:
		if !w.status.GetCondition(ConditionNATS).IsTrue() {
			w.status.MarkUnknown(ConditionNATS, ReasonNATSUnknown, "NATS has not answered yet")
		}
	default:
		w.connected = true
		w.status.MarkTrue(ConditionNATS)
	}
}

// putRoute sets ConditionStream: it makes the stream and writes the route.
func (r *Reconciler) putRoute(ctx context.Context, w *work) {
	if !w.connected || !w.configured {
		return
	}
	address, err := r.compile(ctx, w)
	if err != nil {
		w.status.MarkFalse(ConditionStream, ReasonInvalid, "%v", err)
		return
	}
	applied, err := r.routes.PutAddress(ctx, address)
	var before *jetstream.PredecessorError
	if errors.As(err, &before) {
		r.awaitPredecessor(ctx, w, predecessor{address, before})
		return
	}
	if err != nil {
		w.status.MarkFalse(ConditionStream, putReason(err), "%v", err)
		w.retry = retryAfter
		return
	}
	w.applied = &applied
	markStream(ctx, w, applied.LogMade)
}

// compile makes the address of the Broker as it is now, with what its references resolved to.
func (r *Reconciler) compile(ctx context.Context, w *work) (route.Address, error) {
	b := w.broker
	if b.Status.DeliveryStatus.IsSet() {
		b = b.DeepCopy()
		b.Spec.Delivery.DeadLetterSink = &duckv1.Destination{
			URI: b.Status.DeadLetterSinkURI, CACerts: b.Status.DeadLetterSinkCACerts, Audience: b.Status.DeadLetterSinkAudience,
		}
	}
	address, err := compile.Broker(b, compile.Options{Defaults: w.config, Resolve: destination.Unresolved(w.sink)})
	address.Refuse = w.restricted.message
	address.RecordEventTypes = feature.FromContext(ctx).IsEnabled(feature.EvenTypeAutoCreate)
	return address, err
}

func putReason(err error) string {
	switch {
	case errors.Is(err, jetstream.ErrForeignRoute):
		return ReasonForeign
	case errors.Is(err, jetstream.ErrImmutable):
		return ReasonImmutable
	}
	return ReasonNotStored
}

// followIngress sets ConditionIngress to what the ingress processes report.
func (r *Reconciler) followIngress(_ context.Context, w *work) {
	if w.applied == nil {
		return
	}
	answer := r.board.Ask(keyOf(w.broker), readiness.Question{Role: route.RoleIngress, Place: w.applied.Place})
	readiness.Mark(w.status, ConditionIngress, answer)
}
