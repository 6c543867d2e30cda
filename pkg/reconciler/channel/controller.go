package channel

import (
	"context"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/tools/cache"
	"knative.dev/eventing/pkg/apis/feature"
	eventpolicyinformer "knative.dev/eventing/pkg/client/injection/informers/eventing/v1alpha1/eventpolicy"
	kubeclient "knative.dev/pkg/client/injection/kube/client"
	serviceinformer "knative.dev/pkg/client/injection/kube/informers/core/v1/service/filtered"
	"knative.dev/pkg/configmap"
	"knative.dev/pkg/controller"
	"knative.dev/pkg/logging"
	"knative.dev/pkg/network"
	"knative.dev/pkg/resolver"
	"knative.dev/pkg/system"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/apis/messaging/v1alpha1"
	messagingclient "github.com/eventing-jetstream/eventing-jetstream/pkg/client/injection/client"
	channelinformer "github.com/eventing-jetstream/eventing-jetstream/pkg/client/injection/informers/messaging/v1alpha1/natsjetstreamchannel"
	channelreconciler "github.com/eventing-jetstream/eventing-jetstream/pkg/client/injection/reconciler/messaging/v1alpha1/natsjetstreamchannel"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/reconciler/address"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/reconciler/broker"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/reconciler/deletion"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/reconciler/news"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/reconciler/readiness"
)

// agent is who the Kubernetes events come from.
const agent = "eventing-jetstream-channel-controller"

// Dependencies are what the reconciler needs besides the Kubernetes API.
type Dependencies struct {
	Routes Routes
	Board  *readiness.Board
	// Deleted is called when a Channel or a subscriber is gone; it must not block.
	Deleted func()
}

// NewController returns the controller of NatsJetStreamChannels. Its Services are watched by ServiceSelector, which the context must
// have among those that informers are filtered by.
func NewController(ctx context.Context, cmw configmap.Watcher, d Dependencies) *controller.Impl {
	channels, policies, services := channelinformer.Get(ctx), eventpolicyinformer.Get(ctx), serviceinformer.Get(ctx, ServiceSelector)

	var resync func()
	features := feature.NewStore(logging.FromContext(ctx).Named("features"), func(string, any) {
		if resync != nil {
			resync()
		}
	})
	features.WatchConfigs(cmw)

	client := messagingclient.Get(ctx)
	r := &Reconciler{
		steps: address.Steps{
			Routes: d.Routes, Board: d.Board, Policies: policies.Lister(),
			Live: func(ctx context.Context, key types.NamespacedName) (types.UID, error) {
				// Without a resource version the API server answers from its store, not from its cache.
				c, err := client.MessagingV1alpha1().NatsJetStreamChannels(key.Namespace).Get(ctx, key.Name, metav1.GetOptions{})
				if err != nil {
					return "", err
				}
				return c.UID, nil
			},
		},
		routes: d.Routes, board: d.Board, deleted: d.Deleted,
		services: services.Lister(), client: kubeclient.Get(ctx),
		ingressHost: network.GetServiceHostname(broker.IngressService, system.Namespace()),
	}
	impl := channelreconciler.NewImpl(ctx, r, func(*controller.Impl) controller.Options {
		return controller.Options{ConfigStore: features, AgentName: agent}
	})
	r.resolver = resolver.NewURIResolverFromTracker(ctx, impl.Tracker)

	kind := v1alpha1.SchemeGroupVersion.WithKind(v1alpha1.Kind)
	resync = func() { impl.GlobalResync(channels.Informer()) }
	d.Board.Listen(readiness.Listener{Changed: impl.EnqueueKey, Outage: resync})
	handle(channels.Informer(), news.Handler(impl.Enqueue))
	handle(services.Informer(), cache.FilteringResourceEventHandler{
		FilterFunc: controller.FilterController(&v1alpha1.NatsJetStreamChannel{}), Handler: controller.HandleAll(impl.EnqueueControllerOf),
	})
	handle(policies.Informer(), address.OnPolicyChange(channels.Informer().GetIndexer(), kind.GroupKind(), impl.EnqueueKey))
	return impl
}

// handle registers a handler. It fails only for an informer that was stopped, and these run as long as the process.
func handle(informer cache.SharedIndexInformer, handler cache.ResourceEventHandler) {
	_, _ = informer.AddEventHandler(deletion.Handler(handler))
}
