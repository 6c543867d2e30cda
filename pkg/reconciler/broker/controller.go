package broker

import (
	"context"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/tools/cache"
	eventingv1 "knative.dev/eventing/pkg/apis/eventing/v1"
	"knative.dev/eventing/pkg/apis/feature"
	eventingclient "knative.dev/eventing/pkg/client/injection/client"
	brokerinformer "knative.dev/eventing/pkg/client/injection/informers/eventing/v1/broker"
	eventpolicyinformer "knative.dev/eventing/pkg/client/injection/informers/eventing/v1alpha1/eventpolicy"
	brokerreconciler "knative.dev/eventing/pkg/client/injection/reconciler/eventing/v1/broker"
	"knative.dev/pkg/configmap"
	"knative.dev/pkg/controller"
	"knative.dev/pkg/logging"
	"knative.dev/pkg/network"
	pkgreconciler "knative.dev/pkg/reconciler"
	"knative.dev/pkg/resolver"
	"knative.dev/pkg/system"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/compile"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/reconciler/address"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/reconciler/brokerconfig"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/reconciler/deletion"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/reconciler/news"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/reconciler/readiness"
)

// IngressService is the Service of the ingress, in the system namespace.
const IngressService = "eventing-jetstream-ingress"

// agent is who the Kubernetes events come from.
const agent = "eventing-jetstream-broker-controller"

// Dependencies are what the reconciler needs besides the Kubernetes API.
type Dependencies struct {
	Routes address.Routes
	Board  *readiness.Board
	// Configs are the ConfigMaps of Brokers.
	Configs *brokerconfig.Watcher
	// Deleted is called when a Broker is gone; it must not block.
	Deleted func()
}

// NewController returns the controller of Brokers of our class. It tells upstream's Broker type, for the whole process, which
// conditions a Broker has.
func NewController(ctx context.Context, cmw configmap.Watcher, d Dependencies) *controller.Impl {
	eventingv1.RegisterAlternateBrokerConditionSet(conditions())
	ours := pkgreconciler.AnnotationFilterFunc(brokerreconciler.ClassAnnotationKey, compile.BrokerClass, false)
	brokers, policies := brokerinformer.Get(ctx), eventpolicyinformer.Get(ctx)

	var resync func()
	features := feature.NewStore(logging.FromContext(ctx).Named("features"), func(string, any) {
		if resync != nil {
			resync()
		}
	})
	features.WatchConfigs(cmw)

	r := &Reconciler{
		steps:       address.Steps{Routes: d.Routes, Board: d.Board, Policies: policies.Lister()},
		board:       d.Board,
		ingressHost: network.GetServiceHostname(IngressService, system.Namespace()),
		deleted:     d.Deleted,
	}
	client := eventingclient.Get(ctx)
	r.steps.Live = func(ctx context.Context, key types.NamespacedName) (types.UID, error) {
		// Without a resource version the API server answers from its store, not from its cache.
		b, err := client.EventingV1().Brokers(key.Namespace).Get(ctx, key.Name, metav1.GetOptions{})
		if err != nil {
			return "", err
		}
		return b.UID, nil
	}
	impl := brokerreconciler.NewImpl(ctx, r, compile.BrokerClass, func(*controller.Impl) controller.Options {
		return controller.Options{ConfigStore: features, AgentName: agent, PromoteFilterFunc: ours}
	})
	r.resolver = resolver.NewURIResolverFromTracker(ctx, impl.Tracker)
	r.configs = brokerconfig.Reader{ConfigMaps: d.Configs, Tracker: impl.Tracker}

	resync = func() { impl.FilteredGlobalResync(ours, brokers.Informer()) }
	d.Board.Listen(readiness.Listener{Changed: impl.EnqueueKey, Outage: resync})
	handle(brokers.Informer(), cache.FilteringResourceEventHandler{FilterFunc: ours, Handler: news.Handler(impl.Enqueue)})
	d.Configs.Listen(controller.EnsureTypeMeta(impl.Tracker.OnChanged, corev1.SchemeGroupVersion.WithKind("ConfigMap")))
	handle(policies.Informer(), address.OnPolicyChange(brokers.Informer().GetIndexer(),
		eventingv1.SchemeGroupVersion.WithKind("Broker").GroupKind(), impl.EnqueueKey))
	return impl
}

// handle registers a handler. It fails only for an informer that was stopped, and these run as long as the process.
func handle(informer cache.SharedIndexInformer, handler cache.ResourceEventHandler) {
	_, _ = informer.AddEventHandler(deletion.Handler(handler))
}
