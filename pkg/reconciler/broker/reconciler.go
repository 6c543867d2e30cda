package broker

import (
	"context"
	"time"

	"k8s.io/apimachinery/pkg/api/equality"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/reconciler/news"

	"k8s.io/apimachinery/pkg/types"
	eventingv1 "knative.dev/eventing/pkg/apis/eventing/v1"
	brokerreconciler "knative.dev/eventing/pkg/client/injection/reconciler/eventing/v1/broker"
	"knative.dev/pkg/apis"
	"knative.dev/pkg/controller"
	pkgreconciler "knative.dev/pkg/reconciler"
	"knative.dev/pkg/resolver"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/config"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/owner"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/reconciler/address"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/reconciler/brokerconfig"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/reconciler/readiness"
)

// Reconciler makes Brokers true. It needs no finalizer: what a deleted Broker leaves is found by its absence (package audit).
type Reconciler struct {
	steps       address.Steps
	board       *readiness.Board
	configs     brokerconfig.Reader
	resolver    *resolver.URIResolver
	ingressHost string
	// deleted is called when a Broker is gone; it must not block.
	deleted func()
	writes  news.Writes
}

var (
	_ brokerreconciler.Interface        = (*Reconciler)(nil)
	_ pkgreconciler.OnDeletionInterface = (*Reconciler)(nil)
)

// work is one reconciliation: the Broker, and what earlier steps found out for later ones.
type work struct {
	broker   *eventingv1.Broker
	resource address.Resource
	status   apis.ConditionManager

	config     config.Broker
	configured bool // config is known
	// sink is the dead letter sink's error; nil when it has an address or there is none.
	sink error
	// refuse is why the Broker takes no events, "" when it does.
	refuse    string
	connected bool
	applied   *owner.Applied
	// retry is when to try again although nothing changes; 0 is never.
	retry time.Duration
}

// ReconcileKind runs the steps. Every step runs every time and sets its own condition; one that lacks what an earlier step
// was to find out leaves its condition as it is, since what was true of the Broker before still is.
func (r *Reconciler) ReconcileKind(ctx context.Context, b *eventingv1.Broker) pkgreconciler.Event {
	before := b.Status.GetTopLevelCondition().DeepCopy()
	read := b.DeepCopy()
	w := &work{broker: b, resource: address.Of(b)}
	w.status = w.resource.Conditions
	for _, step := range []func(context.Context, *work){
		r.readConfig,
		r.resolveDeadLetterSink,
		r.checkRestrictions,
		r.setAddress,
		r.checkNATS,
		r.putRoute,
		r.keepRefusal,
		r.followIngress,
	} {
		step(ctx, w)
	}
	readiness.Announce(ctx, readiness.Change{Resource: b, Kind: "Broker", Before: before, After: b.Status.GetTopLevelCondition()})
	if w.retry > 0 {
		return controller.NewRequeueAfter(w.retry)
	}
	if r.writes.Stale(read, !equality.Semantic.DeepEqual(read.Status, b.Status)) {
		return controller.NewRequeueAfter(news.Behind / 4)
	}
	return nil
}

// ObserveDeletion has the audit look for what the Broker left.
func (r *Reconciler) ObserveDeletion(_ context.Context, key types.NamespacedName) error {
	r.board.Forget(key)
	r.writes.Forget(key)
	r.deleted()
	return nil
}
