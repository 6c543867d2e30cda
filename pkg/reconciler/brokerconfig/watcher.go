package brokerconfig

import (
	"context"
	"sync"

	corev1 "k8s.io/api/core/v1"
	apierrs "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/types"
	corev1informers "k8s.io/client-go/informers/core/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/cache"
)

// Watcher reads and watches ConfigMaps by name, those only that were asked for: a cluster may have any number of others, and large ones.
// One that was asked for is watched until the process ends. Safe for concurrent use.
type Watcher struct {
	ctx    context.Context
	client kubernetes.Interface

	mu        sync.Mutex
	watched   map[types.NamespacedName]cache.SharedIndexInformer
	listeners []func(any)
	running   sync.WaitGroup
}

// NewWatcher returns a watcher that watches until ctx ends.
func NewWatcher(ctx context.Context, client kubernetes.Interface) *Watcher {
	return &Watcher{ctx: ctx, client: client, watched: map[types.NamespacedName]cache.SharedIndexInformer{}}
}

// Listen has a function called, which must not block, with each ConfigMap that was asked for when it comes, changes or goes. Call it
// before the first Get.
func (w *Watcher) Listen(call func(any)) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.listeners = append(w.listeners, call)
}

// Wait returns when all watches have ended.
func (w *Watcher) Wait() { w.running.Wait() }

// Get returns a ConfigMap, which is not to be changed. The first time it is read from the API server, later from the watch.
func (w *Watcher) Get(key types.NamespacedName) (*corev1.ConfigMap, error) {
	informer := w.watch(key)
	if !informer.HasSynced() {
		return w.client.CoreV1().ConfigMaps(key.Namespace).Get(w.ctx, key.Name, metav1.GetOptions{})
	}
	object, there, err := informer.GetStore().GetByKey(key.String())
	if err != nil {
		return nil, err
	}
	if found, ok := object.(*corev1.ConfigMap); there && ok {
		return found, nil
	}
	return nil, apierrs.NewNotFound(corev1.Resource("configmaps"), key.Name)
}

func (w *Watcher) watch(key types.NamespacedName) cache.SharedIndexInformer {
	w.mu.Lock()
	defer w.mu.Unlock()
	if informer, ok := w.watched[key]; ok {
		return informer
	}
	informer := corev1informers.NewFilteredConfigMapInformer(w.client, key.Namespace, 0, cache.Indexers{}, func(o *metav1.ListOptions) {
		o.FieldSelector = fields.OneTermEqualSelector(metav1.ObjectNameField, key.Name).String()
	})
	call := func(object any) {
		for _, listener := range w.listeners {
			listener(object)
		}
	}
	// It fails only for an informer that was stopped.
	_, _ = informer.AddEventHandler(cache.ResourceEventHandlerFuncs{
		AddFunc: call, DeleteFunc: call, UpdateFunc: func(_, after any) { call(after) },
	})
	w.watched[key] = informer
	w.running.Go(func() { informer.Run(w.ctx.Done()) })
	return informer
}
