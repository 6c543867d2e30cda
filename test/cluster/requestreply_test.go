//go:build cluster

package cluster_test

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/reconciler/replykeys"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/requestreply"
)

// keysWithin is how long the filter pods may take for a new key: a second, and what a busy machine adds. By itself a kubelet looks once a minute.
const keysWithin = 5 * time.Second

// Every filter pod knows the key of a new RequestReply soon, of a second one too, and no pod is told when nothing has changed.
func TestFilterPodsKnowNewKeysAtOnce(t *testing.T) {
	t.Parallel()
	n := newNamespace(t)
	for i := range 3 {
		key := fmt.Sprintf("%s.orders-%d.key-0", n.name, i)
		t.Cleanup(func() { setReplyKey(t, key, nil) })
		began := time.Now()
		setReplyKey(t, key, []byte("0123456789abcdef"))
		awaitFor(t, keysWithin, "every filter pod knows "+key, func() (bool, any) { return filterPodsSay(t, key) })
		t.Logf("every filter pod knew the key after %s", time.Since(began).Round(time.Millisecond))
	}
	for _, pod := range filterPods(t) {
		if pod.Annotations[replykeys.VersionAnnotation] == "" {
			t.Errorf("pod %s has the annotations %v", pod.Name, pod.Annotations)
		}
	}
}

func filterPods(t testing.TB) []corev1.Pod {
	t.Helper()
	pods, err := env.kube.CoreV1().Pods(systemNamespace).List(background(t), metav1.ListOptions{LabelSelector: replykeys.FilterPods})
	must(t, err)
	if len(pods.Items) == 0 {
		t.Fatal("there are no filter pods")
	}
	return pods.Items
}

// filterPodsSay is false, with the pod, as long as one has not said that it has read the key.
func filterPodsSay(t testing.TB, key string) (bool, any) {
	t.Helper()
	for _, pod := range filterPods(t) {
		stream, err := env.kube.CoreV1().Pods(systemNamespace).GetLogs(pod.Name, &corev1.PodLogOptions{}).Stream(background(t))
		if err != nil {
			return false, err
		}
		text, err := io.ReadAll(stream)
		_ = stream.Close()
		if err != nil || !strings.Contains(string(text), key) {
			return false, fmt.Sprintf("%s: %v", pod.Name, err)
		}
	}
	return true, nil
}

// setReplyKey writes a key into the Secret as Knative's controller does, or removes the key.
func setReplyKey(t testing.TB, key string, value []byte) {
	t.Helper()
	patch, err := json.Marshal(map[string]any{"data": map[string]any{key: value}})
	must(t, err)
	secrets := env.kube.CoreV1().Secrets(systemNamespace)
	_, err = secrets.Patch(background(t), requestreply.Secret, types.MergePatchType, patch, metav1.PatchOptions{})
	if apierrors.IsNotFound(err) && value != nil {
		_, err = secrets.Create(background(t), &corev1.Secret{
			ObjectMeta: metav1.ObjectMeta{Name: requestreply.Secret}, Data: map[string][]byte{key: value},
		}, metav1.CreateOptions{})
	}
	must(t, err)
}
