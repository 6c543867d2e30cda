package broker

import (
	"context"
	"fmt"

	eventingduckv1 "knative.dev/eventing/pkg/apis/duck/v1"
	"knative.dev/eventing/pkg/apis/feature"
	"knative.dev/pkg/apis"
	duckv1 "knative.dev/pkg/apis/duck/v1"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/compile"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/reconciler/address"
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
	sink, err := destination.Resolve(ctx, r.resolver, *spec.DeadLetterSink, w.broker)
	if err != nil {
		w.sink = err
		w.retry = address.RetryAfter
		w.broker.Status.MarkDeadLetterSinkResolvedFailed(ReasonUnresolved, "%v", err)
		return
	}
	w.broker.Status.MarkDeadLetterSinkResolvedSucceeded(eventingduckv1.NewDeliveryStatusFromAddressable(sink))
}

// checkRestrictions sets ConditionEventPolicies.
func (r *Reconciler) checkRestrictions(ctx context.Context, w *work) {
	w.broker.Status.Policies = nil // these are the policies that are enforced
	w.refuse = r.steps.CheckRestrictions(ctx, w.resource)
}

// setAddress sets ConditionAddressable, status.address and status.addresses.
func (r *Reconciler) setAddress(ctx context.Context, w *work) {
	status := &w.broker.Status
	if feature.FromContext(ctx).IsStrictTransportEncryption() {
		status.AddressStatus = duckv1.AddressStatus{}
		w.status.MarkFalse(ConditionAddressable, address.ReasonStrictTLS, "there is no https address yet")
		return
	}
	scheme := "http"
	at := duckv1.Addressable{
		Name: &scheme,
		URL:  &apis.URL{Scheme: scheme, Host: r.ingressHost, Path: fmt.Sprintf("/%s/%s", w.broker.Namespace, w.broker.Name)},
	}
	status.AddressStatus = duckv1.AddressStatus{Address: &at, Addresses: []duckv1.Addressable{at}}
	address.MarkAddressable(ctx, w.status, ConditionAddressable)
}

// checkNATS sets ConditionNATS. The other conditions stay as they were known while NATS is away.
func (r *Reconciler) checkNATS(_ context.Context, w *work) {
	w.connected = r.steps.CheckNATS(w.resource)
}

// putRoute sets ConditionStream: it makes the stream and writes the route.
func (r *Reconciler) putRoute(ctx context.Context, w *work) {
	if !w.connected || !w.configured {
		return
	}
	want, err := r.compile(ctx, w)
	if err != nil {
		w.status.MarkFalse(ConditionStream, ReasonInvalid, "%v", err)
		return
	}
	readiness.MarkPaused(w.status, compile.PausedBy(w.broker.Annotations))
	put := r.steps.PutRoute(ctx, w.resource, want)
	w.applied, w.retry = put.Applied, address.Sooner(w.retry, put.Retry)
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
	a, err := compile.Broker(b, compile.Options{Defaults: w.config, Resolve: destination.Unresolved(w.sink)})
	a.Refuse = w.refuse
	a.RecordEventTypes = feature.FromContext(ctx).IsEnabled(feature.EvenTypeAutoCreate)
	return a, err
}

// keepRefusal has a route that could not be written anew refuse what has to be refused.
func (r *Reconciler) keepRefusal(ctx context.Context, w *work) {
	if w.connected && w.applied == nil {
		w.retry = address.Sooner(w.retry, r.steps.KeepRefusal(ctx, w.resource, address.Refusal{
			Of: compile.BrokerKey(w.broker.Namespace, w.broker.Name), Why: w.refuse,
		}))
	}
}

// followIngress sets ConditionIngress to what the ingress processes report.
func (r *Reconciler) followIngress(_ context.Context, w *work) {
	if w.applied == nil {
		return
	}
	answer := r.board.Ask(w.resource.Key(), readiness.Question{Role: route.RoleIngress, Place: w.applied.Place})
	readiness.Mark(w.status, ConditionIngress, answer)
}
