package trigger

import (
	"context"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/tools/cache"
	eventingv1 "knative.dev/eventing/pkg/apis/eventing/v1"
	"knative.dev/eventing/pkg/apis/feature"
	brokerinformer "knative.dev/eventing/pkg/client/injection/informers/eventing/v1/broker"
	triggerinformer "knative.dev/eventing/pkg/client/injection/informers/eventing/v1/trigger"
	brokerreconciler "knative.dev/eventing/pkg/client/injection/reconciler/eventing/v1/broker"
	triggerreconciler "knative.dev/eventing/pkg/client/injection/reconciler/eventing/v1/trigger"
	"knative.dev/eventing/pkg/duck"
	"knative.dev/pkg/client/injection/ducks/duck/v1/source"
	"knative.dev/pkg/configmap"
	"knative.dev/pkg/controller"
	"knative.dev/pkg/logging"
	pkgreconciler "knative.dev/pkg/reconciler"
	"knative.dev/pkg/resolver"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/compile"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/reconciler/brokerconfig"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/reconciler/deletion"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/reconciler/news"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/reconciler/readiness"
)

const (
	// settle is how long changes of a Broker are collected before its Triggers are reconciled: one that comes becomes ready in several steps.
	settle = 500 * time.Millisecond
	// patience is settle while there is nothing that a Trigger could do: its Broker, which is not ready yet, has no log, or the Trigger has
	// only what the filters say to add. Whatever the Broker does next brings the Trigger sooner.
	patience = 2 * time.Second
)

// agent is who the Kubernetes events come from.
const agent = "eventing-jetstream-trigger-controller"

// Dependencies are what the reconciler needs besides the Kubernetes API.
type Dependencies struct {
	Routes Routes
	Board  *readiness.Board
	// Configs are the ConfigMaps of Brokers.
	Configs *brokerconfig.Watcher
	// Deleted is called when a Trigger is gone; it must not block.
	Deleted func()
}

// NewController returns the controller of the Triggers of our Brokers.
func NewController(ctx context.Context, cmw configmap.Watcher, d Dependencies) *controller.Impl {
	brokers, triggers := brokerinformer.Get(ctx), triggerinformer.Get(ctx)

	var resync func()
	features := feature.NewStore(logging.FromContext(ctx).Named("features"), func(string, any) {
		if resync != nil {
			resync()
		}
	})
	features.WatchConfigs(cmw)
	index(triggers.Informer())
	ours := belonging{
		brokers: brokers.Lister(), triggers: triggers.Informer().GetIndexer(),
		crossNamespace: func() bool { return features.Load().IsCrossNamespaceEventLinks() },
	}

	r := &Reconciler{routes: d.Routes, board: d.Board, brokers: brokers.Lister(), deleted: d.Deleted}
	impl := triggerreconciler.NewImpl(ctx, r, func(*controller.Impl) controller.Options {
		return controller.Options{ConfigStore: features, AgentName: agent, PromoteFilterFunc: ours.isOurs}
	})
	r.resolver = resolver.NewURIResolverFromTracker(ctx, impl.Tracker)
	r.sources = duck.NewListableTrackerFromTracker(ctx, source.Get, impl.Tracker)
	r.configs = brokerconfig.Reader{ConfigMaps: d.Configs, Tracker: impl.Tracker}

	resync = func() { impl.FilteredGlobalResync(ours.isOurs, triggers.Informer()) }
	d.Board.Listen(readiness.Listener{Outage: resync, Changed: func(key types.NamespacedName) {
		if ours.hearsOfBroker(key) {
			impl.EnqueueKeyAfter(key, patience)
			return
		}
		impl.EnqueueKey(key)
	}})
	handle(triggers.Informer(), cache.FilteringResourceEventHandler{FilterFunc: ours.isOurs, Handler: news.Handler(func(object any) {
		if wait := ours.putOff(object); wait > 0 {
			impl.EnqueueAfter(object, wait)
			return
		}
		impl.Enqueue(object)
	})})
	handle(brokers.Informer(), cache.FilteringResourceEventHandler{
		FilterFunc: pkgreconciler.AnnotationFilterFunc(brokerreconciler.ClassAnnotationKey, compile.BrokerClass, false),
		Handler: onBrokerChange(func(b *eventingv1.Broker) {
			for _, t := range ours.of(b) {
				impl.EnqueueAfter(t, collect(b))
			}
		}),
	})
	d.Configs.Listen(controller.EnsureTypeMeta(impl.Tracker.OnChanged, corev1.SchemeGroupVersion.WithKind("ConfigMap")))
	return impl
}

// handle registers a handler. It fails only for an informer that was stopped, and these run as long as the process.
func handle(informer cache.SharedIndexInformer, handler cache.ResourceEventHandler) {
	_, _ = informer.AddEventHandler(deletion.Handler(handler))
}
