package trigger

import (
	"context"
	"time"

	"k8s.io/apimachinery/pkg/api/equality"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/reconciler/news"

	"k8s.io/apimachinery/pkg/types"
	eventingv1 "knative.dev/eventing/pkg/apis/eventing/v1"
	triggerreconciler "knative.dev/eventing/pkg/client/injection/reconciler/eventing/v1/trigger"
	eventinglisters "knative.dev/eventing/pkg/client/listers/eventing/v1"
	"knative.dev/eventing/pkg/duck"
	"knative.dev/pkg/apis"
	"knative.dev/pkg/controller"
	pkgreconciler "knative.dev/pkg/reconciler"
	"knative.dev/pkg/resolver"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/owner"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/reconciler/brokerconfig"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/reconciler/readiness"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/route"
)

// retryAfter is how long a step that failed for a reason which no watch reports waits before it is tried again.
const retryAfter = 5 * time.Second

// Routes makes the cursor and the route of a Trigger; it is what owner.Owner does.
type Routes interface {
	PutTarget(ctx context.Context, t route.Target) (owner.Applied, error)
	Connected() bool
}

// Reconciler makes Triggers true. It needs no finalizer: what a deleted Trigger leaves is found by its absence (package audit).
type Reconciler struct {
	routes   Routes
	board    *readiness.Board
	brokers  eventinglisters.BrokerLister
	configs  brokerconfig.Reader
	resolver *resolver.URIResolver
	sources  duck.ListableTracker
	// deleted is called when a Trigger is gone; it must not block.
	deleted func()
	writes  news.Writes
}

var (
	_ triggerreconciler.Interface       = (*Reconciler)(nil)
	_ pkgreconciler.OnDeletionInterface = (*Reconciler)(nil)
)

// work is one reconciliation: the Trigger, and what earlier steps found out for later ones.
type work struct {
	trigger *eventingv1.Trigger
	status  apis.ConditionManager

	// broker is nil while there is no Broker.
	broker *eventingv1.Broker
	// subscriber and sink are why there is no address; nil when there is one, or none is needed.
	subscriber, sink error
	applied          *owner.Applied
	// delivering is false when the route says that nothing is delivered at present.
	delivering bool
	// retry is when to try again although nothing changes; 0 is never.
	retry time.Duration
}

// ReconcileKind runs the steps. Every step runs every time and sets its own condition; one that lacks what an earlier step
// was to find out leaves its condition as it is.
func (r *Reconciler) ReconcileKind(ctx context.Context, t *eventingv1.Trigger) pkgreconciler.Event {
	if r.isForeign(ctx, t) {
		// Ours once: its Broker was made again in another class. Nobody calls for it here any more.
		r.board.Forget(types.NamespacedName{Namespace: t.Namespace, Name: t.Name})
		return nil
	}
	before := t.Status.GetTopLevelCondition().DeepCopy()
	read := t.DeepCopy()
	w := &work{trigger: t, status: t.GetConditionSet().Manage(&t.Status)}
	for _, step := range []func(context.Context, *work){
		r.findBroker,
		r.resolveSubscriber,
		r.resolveDeadLetterSink,
		r.checkDependency,
		r.checkIdentity,
		r.putRoute,
		r.followFilters,
	} {
		step(ctx, w)
	}
	readiness.Announce(ctx, readiness.Change{Resource: t, Kind: "Trigger", Before: before, After: t.Status.GetTopLevelCondition()})
	if w.retry > 0 {
		return controller.NewRequeueAfter(w.retry)
	}
	if r.writes.Stale(read, !equality.Semantic.DeepEqual(read.Status, t.Status)) {
		return controller.NewRequeueAfter(news.Behind / 4)
	}
	return nil
}

// ObserveDeletion has the audit look for what the Trigger left.
func (r *Reconciler) ObserveDeletion(_ context.Context, key types.NamespacedName) error {
	r.board.Forget(key)
	r.writes.Forget(key)
	r.deleted()
	return nil
}
