package replykeys

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	apierrs "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/cache"
	"knative.dev/pkg/controller"
	pkgreconciler "knative.dev/pkg/reconciler"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/compile"
)

const (
	// VersionAnnotation of a filter pod is the resource version of the Secret that its kubelet was told of.
	VersionAnnotation = compile.AnnotationPrefix + "request-reply-keys-version"
	// FilterPods selects the filter pods of the installation, in the system namespace. The label is in config/core.
	FilterPods = "app=eventing-jetstream-filter"
)

// reconciler notes in the filter pods which version of the Secret there is.
type reconciler struct {
	pkgreconciler.LeaderAwareFuncs

	key    types.NamespacedName
	client kubernetes.Interface
	// secrets has the Secret, without what is in it.
	secrets cache.Store
}

var (
	_ controller.Reconciler     = (*reconciler)(nil)
	_ pkgreconciler.LeaderAware = (*reconciler)(nil)
)

// Reconcile writes to each filter pod that does not show the present version yet. A pod that starts later needs it only at the next
// change: its volume is filled with what the Secret holds then.
func (r *reconciler) Reconcile(ctx context.Context, key string) error {
	if !r.IsLeaderFor(r.key) {
		return controller.NewSkipKey(key)
	}
	object, there, err := r.secrets.GetByKey(r.key.String())
	secret, isSecret := object.(*corev1.Secret)
	if err != nil || !there || !isSecret {
		return err
	}
	// Without a resource version the API server answers from its store, not from its cache.
	pods, err := r.client.CoreV1().Pods(r.key.Namespace).List(ctx, metav1.ListOptions{LabelSelector: FilterPods})
	if err != nil {
		return fmt.Errorf("list filter pods: %w", err)
	}
	var errs []error
	for _, pod := range pods.Items {
		if pod.Annotations[VersionAnnotation] != secret.ResourceVersion {
			errs = append(errs, r.tell(ctx, pod.Name, secret.ResourceVersion))
		}
	}
	return errors.Join(errs...)
}

// tell writes the annotation by way of the pod's status: that asks for no permission to change what the pod runs.
func (r *reconciler) tell(ctx context.Context, pod, version string) error {
	patch, err := json.Marshal(map[string]any{"metadata": map[string]any{"annotations": map[string]string{VersionAnnotation: version}}})
	if err != nil {
		return err
	}
	_, err = r.client.CoreV1().Pods(r.key.Namespace).Patch(ctx, pod, types.MergePatchType, patch, metav1.PatchOptions{}, "status")
	if err != nil && !apierrs.IsNotFound(err) {
		return fmt.Errorf("tell filter pod %s of changed keys: %w", pod, err)
	}
	return nil
}
