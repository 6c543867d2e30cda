package replykeys

import (
	"context"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/types"
	corev1informers "k8s.io/client-go/informers/core/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/cache"
	kubeclient "knative.dev/pkg/client/injection/kube/client"
	"knative.dev/pkg/controller"
	"knative.dev/pkg/logging"
	pkgreconciler "knative.dev/pkg/reconciler"
	"knative.dev/pkg/system"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/requestreply"
)

const (
	// queueName is part of the names of the leases.
	queueName = "replykeys"
	// settle is how long after a change of the Secret the pods are told. A kubelet that is told looks once: by then its own watch must
	// have shown it the change. Changes that come together cost one look.
	settle = 100 * time.Millisecond
)

// NewController returns the controller, and the watch that has to run beside it, which returns when its context ends.
func NewController(ctx context.Context) (impl *controller.Impl, watch func(context.Context)) {
	client := kubeclient.Get(ctx)
	key := types.NamespacedName{Namespace: system.Namespace(), Name: requestreply.Secret}
	informer := newInformer(client, key)
	r := &reconciler{
		LeaderAwareFuncs: pkgreconciler.LeaderAwareFuncs{
			PromoteFunc: func(bucket pkgreconciler.Bucket, enqueue func(pkgreconciler.Bucket, types.NamespacedName)) error {
				enqueue(bucket, key)
				return nil
			},
		},
		key: key, client: client, secrets: informer.GetStore(),
	}
	impl = controller.NewContext(ctx, r, controller.ControllerOptions{
		WorkQueueName: queueName, Logger: logging.FromContext(ctx), Concurrency: 1,
	})
	changed := func(any) { impl.EnqueueKeyAfter(key, settle) }
	// It fails only for an informer that was stopped.
	_, _ = informer.AddEventHandler(cache.ResourceEventHandlerFuncs{
		AddFunc: changed, UpdateFunc: func(_, after any) { changed(after) },
	})
	return impl, func(ctx context.Context) { informer.Run(ctx.Done()) }
}

// newInformer watches the one Secret, and forgets what is in it.
func newInformer(client kubernetes.Interface, key types.NamespacedName) cache.SharedIndexInformer {
	informer := corev1informers.NewFilteredSecretInformer(client, key.Namespace, 0, cache.Indexers{}, func(o *metav1.ListOptions) {
		o.FieldSelector = fields.OneTermEqualSelector(metav1.ObjectNameField, key.Name).String()
	})
	// It fails only for an informer that has started.
	_ = informer.SetTransform(func(object any) (any, error) {
		if secret, ok := object.(*corev1.Secret); ok {
			return &corev1.Secret{ObjectMeta: metav1.ObjectMeta{
				Namespace: secret.Namespace, Name: secret.Name, UID: secret.UID, ResourceVersion: secret.ResourceVersion,
			}}, nil
		}
		return object, nil
	})
	return informer
}
