package channel

import (
	"context"
	"time"

	"k8s.io/apimachinery/pkg/api/equality"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/reconciler/news"

	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"
	corev1listers "k8s.io/client-go/listers/core/v1"
	"knative.dev/pkg/apis"
	"knative.dev/pkg/controller"
	pkgreconciler "knative.dev/pkg/reconciler"
	"knative.dev/pkg/resolver"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/apis/messaging/v1alpha1"
	channelreconciler "github.com/eventing-jetstream/eventing-jetstream/pkg/client/injection/reconciler/messaging/v1alpha1/natsjetstreamchannel"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/owner"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/reconciler/address"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/reconciler/readiness"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/route"
)

// Reasons of conditions; those of the steps that Channels share with Brokers are in package address.
const (
	ReasonNoSink        = "DeadLetterSinkNotConfigured"
	ReasonUnresolved    = "DeadLetterSinkUnresolved"
	ReasonInvalid       = "ChannelInvalid"
	ReasonIgnored       = "FieldsIgnored"
	ReasonForeign       = "ServiceOfAnotherOwner"
	ReasonNoService     = "ServiceNotMade"
	ReasonNotListening  = "StreamDoesNotListen"
	messageWaitsForNATS = "waits for the stream of the channel"
)

// Routes makes the log, the cursors and the routes of a Channel; it is what owner.Owner does.
type Routes interface {
	address.Routes
	PutTarget(ctx context.Context, t route.Target) (owner.Applied, error)
}

// Reconciler makes Channels true. It needs no finalizer: what a deleted Channel leaves is found by its absence (package audit), and
// Kubernetes removes its Service.
type Reconciler struct {
	steps    address.Steps
	routes   Routes
	board    *readiness.Board
	resolver *resolver.URIResolver
	// services are those of Channels, found by their label.
	services    corev1listers.ServiceLister
	client      kubernetes.Interface
	ingressHost string
	// deleted is called when a Channel or a subscriber is gone; it must not block.
	deleted func()
	writes  news.Writes
}

var (
	_ channelreconciler.Interface       = (*Reconciler)(nil)
	_ pkgreconciler.OnDeletionInterface = (*Reconciler)(nil)
)

// work is one reconciliation: the Channel, and what earlier steps found out for later ones.
type work struct {
	channel  *v1alpha1.NatsJetStreamChannel
	resource address.Resource
	status   apis.ConditionManager

	// sink is the dead letter sink's error; nil when it has an address or there is none.
	sink error
	// refuse is why the Channel takes no events, "" when it does.
	refuse    string
	connected bool
	applied   *owner.Applied
	// subscribers are those of the spec, in order.
	subscribers []subscriber
	// retry is when to try again although nothing changes; 0 is never.
	retry time.Duration
}

// ReconcileKind runs the steps. Every step runs every time and sets its own condition; one that lacks what an earlier step
// was to find out leaves its condition as it is, since what was true of the Channel before still is.
func (r *Reconciler) ReconcileKind(ctx context.Context, c *v1alpha1.NatsJetStreamChannel) pkgreconciler.Event {
	before := c.Status.GetCondition(apis.ConditionReady).DeepCopy()
	read := c.DeepCopy()
	w := &work{channel: c, resource: address.Of(c)}
	w.status = w.resource.Conditions
	for _, step := range []func(context.Context, *work){
		r.nameIgnored,
		r.resolveDeadLetterSink,
		r.checkRestrictions,
		r.makeService,
		r.checkNATS,
		r.putRoute,
		r.keepRefusal,
		r.putSubscribers,
		r.followDataPlane,
	} {
		step(ctx, w)
	}
	readiness.Announce(ctx, readiness.Change{Resource: c, Kind: "Channel", Before: before, After: c.Status.GetCondition(apis.ConditionReady)})
	if w.retry > 0 {
		return controller.NewRequeueAfter(w.retry)
	}
	if r.writes.Stale(read, !equality.Semantic.DeepEqual(read.Status, c.Status)) {
		return controller.NewRequeueAfter(news.Behind / 4)
	}
	return nil
}

// ObserveDeletion has the audit look for what the Channel left.
func (r *Reconciler) ObserveDeletion(_ context.Context, key types.NamespacedName) error {
	r.board.Forget(key)
	r.writes.Forget(key)
	r.deleted()
	return nil
}
