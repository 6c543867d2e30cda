package replykeys

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	clientgotesting "k8s.io/client-go/testing"
	"k8s.io/client-go/tools/cache"
	fakekubeclient "knative.dev/pkg/client/injection/kube/client/fake"
	"knative.dev/pkg/controller"
	pkgreconciler "knative.dev/pkg/reconciler"
	rtesting "knative.dev/pkg/reconciler/testing"
	"knative.dev/pkg/system"
	_ "knative.dev/pkg/system/testing"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/requestreply"
)

// world is an API server with working watches, and the controller on it.
type world struct {
	t   *testing.T
	ctx context.Context
}

// newWorld starts the controller beside these objects.
func newWorld(t *testing.T, objects ...runtime.Object) *world {
	t.Helper()
	ctx, cancel, _ := rtesting.SetupFakeContextWithCancel(t)
	ctx, _ = fakekubeclient.With(ctx, objects...)
	w := &world{t, ctx}
	impl, watch := NewController(ctx)
	var running sync.WaitGroup
	running.Go(func() { watch(ctx) })
	running.Go(func() { _ = controller.StartAll(ctx, impl) })
	t.Cleanup(func() {
		cancel()
		running.Wait()
	})
	return w
}

func secretAt(version string) *corev1.Secret {
	return &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Namespace: system.Namespace(), Name: requestreply.Secret, ResourceVersion: version},
		Data:       map[string][]byte{"shop.orders.key-" + version: []byte("0123456789abcdef")},
	}
}

func podNamed(name, app string) *corev1.Pod {
	return &corev1.Pod{ObjectMeta: metav1.ObjectMeta{
		Namespace: system.Namespace(), Name: name, Labels: map[string]string{"app": app}, Annotations: map[string]string{"other": "stays"},
	}}
}

func filterPod(name string) *corev1.Pod { return podNamed(name, "eventing-jetstream-filter") }

func (w *world) change(version string) {
	w.t.Helper()
	_, err := fakekubeclient.Get(w.ctx).CoreV1().Secrets(system.Namespace()).Update(w.ctx, secretAt(version), metav1.UpdateOptions{})
	must(w.t, err)
}

func (w *world) start(pod *corev1.Pod) {
	w.t.Helper()
	_, err := fakekubeclient.Get(w.ctx).CoreV1().Pods(pod.Namespace).Create(w.ctx, pod, metav1.CreateOptions{})
	must(w.t, err)
}

// versions are what the pods show, of those that show anything.
func (w *world) versions() map[string]string {
	w.t.Helper()
	pods, err := fakekubeclient.Get(w.ctx).CoreV1().Pods(system.Namespace()).List(w.ctx, metav1.ListOptions{})
	must(w.t, err)
	shown := map[string]string{}
	for _, pod := range pods.Items {
		if version := pod.Annotations[VersionAnnotation]; version != "" {
			shown[pod.Name] = version
		}
		if pod.Annotations["other"] != "stays" {
			w.t.Errorf("pod %s has %v", pod.Name, pod.Annotations)
		}
	}
	return shown
}

func (w *world) await(want map[string]string) {
	w.t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	end := time.After(20 * time.Second)
	for {
		got := w.versions()
		if maps.Equal(got, want) {
			return
		}
		select {
		case <-tick.C:
		case <-end:
			w.t.Fatalf("waited in vain for %v, last seen %v", want, got)
		}
	}
}

// patches are the pods that were written to, in order of their names, each as often as it was.
func (w *world) patches() (names []string) {
	for _, action := range fakekubeclient.Get(w.ctx).Actions() {
		if patch, is := action.(clientgotesting.PatchAction); is {
			names = append(names, patch.GetName()+"/"+patch.GetSubresource())
		}
	}
	slices.Sort(names)
	return names
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestEachFilterPodIsToldOnceOfEachChange(t *testing.T) {
	w := newWorld(t, secretAt("1"), filterPod("a"), filterPod("b"), podNamed("ingress", "eventing-jetstream-ingress"))
	w.await(map[string]string{"a": "1", "b": "1"})
	w.start(filterPod("c")) // it has mounted what there is
	w.change("2")
	w.await(map[string]string{"a": "2", "b": "2", "c": "2"})
	w.change("2") // as a watch that is made anew says again
	w.change("3")
	w.await(map[string]string{"a": "3", "b": "3", "c": "3"})
	want := []string{"a/status", "a/status", "a/status", "b/status", "b/status", "b/status", "c/status", "c/status"}
	if got := w.patches(); !slices.Equal(got, want) {
		t.Errorf("written are %q, want %q", got, want)
	}
}

// A controller that starts finds out whether the pods were told by the one before it.
func TestNothingIsWrittenWhenNothingHasChanged(t *testing.T) {
	told := filterPod("a")
	told.Annotations[VersionAnnotation] = "1"
	w := newWorld(t, secretAt("1"), told, filterPod("b"))
	w.await(map[string]string{"a": "1", "b": "1"})
	if got := w.patches(); !slices.Equal(got, []string{"b/status"}) {
		t.Errorf("written are %q", got)
	}
}

func keyOf() types.NamespacedName {
	return types.NamespacedName{Namespace: system.Namespace(), Name: requestreply.Secret}
}

// leader is a reconciler that leads, and has seen the first version of the Secret.
func leader(ctx context.Context, t *testing.T) *reconciler {
	t.Helper()
	secrets := cache.NewStore(cache.MetaNamespaceKeyFunc)
	must(t, secrets.Add(secretAt("1")))
	r := &reconciler{key: keyOf(), client: fakekubeclient.Get(ctx), secrets: secrets}
	must(t, r.Promote(pkgreconciler.UniversalBucket(), func(pkgreconciler.Bucket, types.NamespacedName) {}))
	return r
}

// A pod that cannot be written to is tried again, and keeps no other from being told.
func TestAPodThatCannotBeToldIsTriedAgain(t *testing.T) {
	ctx, client := fakekubeclient.With(t.Context(), secretAt("1"), filterPod("a"), filterPod("b"))
	refused := 0
	client.PrependReactor("patch", "pods", func(action clientgotesting.Action) (bool, runtime.Object, error) {
		if action.(clientgotesting.PatchAction).GetName() == "a" && refused < 2 {
			refused++
			return true, nil, errors.New("injected")
		}
		return false, nil, nil
	})
	r := leader(ctx, t)
	for range 2 {
		if err := r.Reconcile(ctx, "any"); err == nil || !strings.Contains(err.Error(), "pod a") {
			t.Errorf("error %v, want the pod's", err)
		}
	}
	must(t, r.Reconcile(ctx, "any"))
	w := &world{t, ctx}
	w.await(map[string]string{"a": "1", "b": "1"})
	if got := fmt.Sprint(w.patches()); got != "[a/status a/status a/status b/status]" {
		t.Errorf("written are %s", got)
	}
}

// Of two replicas one writes.
func TestOnlyTheLeaderTells(t *testing.T) {
	ctx, _ := fakekubeclient.With(t.Context(), secretAt("1"), filterPod("a"))
	r := leader(ctx, t)
	r.Demote(pkgreconciler.UniversalBucket())
	if err := r.Reconcile(ctx, "any"); !controller.IsSkipKey(err) {
		t.Errorf("error %v, want that it is skipped", err)
	}
}

// Nothing of a key is kept, and no other Secret is asked for.
func TestOnlyTheMetadataOfTheOneSecretIsKept(t *testing.T) {
	ctx, client := fakekubeclient.With(t.Context(), secretAt("1"))
	ctx, cancel := context.WithCancel(ctx)
	informer := newInformer(client, keyOf())
	var running sync.WaitGroup
	running.Go(func() { informer.Run(ctx.Done()) })
	defer running.Wait()
	defer cancel()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !informer.HasSynced() {
		<-tick.C
	}
	object, there, err := informer.GetStore().GetByKey(keyOf().String())
	if secret, ok := object.(*corev1.Secret); err != nil || !there || !ok || len(secret.Data) > 0 || secret.ResourceVersion != "1" {
		t.Errorf("it keeps %+v, error %v", object, err)
	}
	for _, action := range client.Actions() {
		if list, is := action.(clientgotesting.ListAction); is && list.GetListRestrictions().Fields.String() != "metadata.name="+requestreply.Secret {
			t.Errorf("it lists %q", list.GetListRestrictions().Fields)
		}
	}
}
