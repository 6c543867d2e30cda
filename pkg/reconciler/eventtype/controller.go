package eventtype

import (
	"cmp"
	"context"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	typedcorev1 "k8s.io/client-go/kubernetes/typed/core/v1"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/tools/record"
	"knative.dev/eventing/pkg/apis/eventing/v1beta3"
	"knative.dev/eventing/pkg/apis/feature"
	eventingscheme "knative.dev/eventing/pkg/client/clientset/versioned/scheme"
	eventingclient "knative.dev/eventing/pkg/client/injection/client"
	brokerinformer "knative.dev/eventing/pkg/client/injection/informers/eventing/v1/broker"
	triggerinformer "knative.dev/eventing/pkg/client/injection/informers/eventing/v1/trigger"
	eventtypeinformer "knative.dev/eventing/pkg/client/injection/informers/eventing/v1beta3/eventtype"
	kubeclient "knative.dev/pkg/client/injection/kube/client"
	"knative.dev/pkg/configmap"
	"knative.dev/pkg/controller"
	"knative.dev/pkg/logging"
	pkgreconciler "knative.dev/pkg/reconciler"

	channelinformer "github.com/eventing-jetstream/eventing-jetstream/pkg/client/injection/informers/messaging/v1alpha1/natsjetstreamchannel"
)

const (
	// agent is who the Kubernetes events come from.
	agent = "eventing-jetstream-eventtype-controller"
	// queueName is part of the names of the leases.
	queueName = "eventtypes"
	// addressIndex finds EventTypes by the UID in BrokerLabel or ChannelLabel.
	addressIndex = "address-uid"
)

// NewController returns the controller of EventTypes, and what has to run beside it.
func NewController(ctx context.Context, cmw configmap.Watcher, records Records) (*controller.Impl, *Follower) {
	eventTypes := eventtypeinformer.Get(ctx).Informer()
	// It fails for an informer that runs already, and then so does every use of the index.
	_ = eventTypes.AddIndexers(cache.Indexers{addressIndex: addressOf})

	f := &Follower{records: records, wake: make(chan struct{}, 1)}
	features := feature.NewStore(logging.FromContext(ctx).Named("features"), func(string, any) { f.again() })
	features.WatchConfigs(cmw)

	r := &reconciler{
		LeaderAwareFuncs: pkgreconciler.LeaderAwareFuncs{
			PromoteFunc: func(pkgreconciler.Bucket, func(pkgreconciler.Bucket, types.NamespacedName)) error {
				f.again()
				return nil
			},
		},
		records:    records,
		features:   features,
		client:     eventingclient.Get(ctx),
		brokers:    brokerinformer.Get(ctx).Lister(),
		triggers:   triggerinformer.Get(ctx).Lister(),
		channels:   channelinformer.Get(ctx).Lister(),
		eventTypes: eventTypes.GetIndexer(),
		events:     eventRecorder(ctx),
		full:       map[types.UID]bool{},
	}
	// One at a time: there is little to do, and it keeps the count of a Broker's EventTypes true.
	impl := controller.NewContext(ctx, r, controller.ControllerOptions{
		WorkQueueName: queueName, Logger: logging.FromContext(ctx), Concurrency: 1,
	})
	f.enabled, f.enqueue = r.enabled, impl.EnqueueKey
	return impl, f
}

// addressOf is the index function of addressIndex.
func addressOf(object any) ([]string, error) {
	if e, ok := object.(*v1beta3.EventType); ok {
		if uid := cmp.Or(e.Labels[BrokerLabel], e.Labels[ChannelLabel]); uid != "" {
			return []string{uid}, nil
		}
	}
	return nil, nil
}

// eventRecorder writes Kubernetes events until ctx ends.
func eventRecorder(ctx context.Context) record.EventRecorder {
	if recorder := controller.GetEventRecorder(ctx); recorder != nil {
		return recorder
	}
	broadcaster := record.NewBroadcaster(record.WithContext(ctx))
	broadcaster.StartRecordingToSink(&typedcorev1.EventSinkImpl{Interface: kubeclient.Get(ctx).CoreV1().Events("")})
	return broadcaster.NewRecorder(eventingscheme.Scheme, corev1.EventSource{Component: agent})
}
