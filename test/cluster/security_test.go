//go:build cluster

package cluster_test

import (
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

// The API server itself judges our pods by the strictest of its standards; it makes none of them.
func TestPodsMeetTheRestrictedStandard(t *testing.T) {
	t.Parallel()
	n := newNamespace(t)
	label := []byte(`{"metadata":{"labels":{"pod-security.kubernetes.io/enforce":"restricted"}}}`)
	_, err := env.kube.CoreV1().Namespaces().Patch(t.Context(), n.name, types.MergePatchType, label, metav1.PatchOptions{})
	must(t, err)
	ours := metav1.ListOptions{LabelSelector: "app.kubernetes.io/name=eventing-jetstream"}
	deployments, err := env.kube.AppsV1().Deployments(systemNamespace).List(t.Context(), ours)
	must(t, err)
	sets, err := env.kube.AppsV1().StatefulSets(systemNamespace).List(t.Context(), ours)
	must(t, err)
	pods := map[string]corev1.PodTemplateSpec{}
	for _, d := range deployments.Items {
		pods[d.Name] = d.Spec.Template
	}
	for _, s := range sets.Items {
		pods[s.Name] = s.Spec.Template
	}
	if len(pods) != 4 {
		t.Fatalf("%d workloads, want controller, ingress, filter and NATS", len(pods))
	}
	lax := corev1.PodTemplateSpec{Spec: corev1.PodSpec{Containers: []corev1.Container{{Name: "lax", Image: env.image}}}}
	if err := n.tryPod("lax", lax); err == nil {
		t.Fatal("nobody judges: a pod without any restriction is taken")
	}
	for name, template := range pods {
		template.Spec.ServiceAccountName, template.Spec.DeprecatedServiceAccount = "", "" // it is in another namespace
		if err := n.tryPod(name, template); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// tryPod asks whether the namespace would take the pod.
func (n *namespace) tryPod(name string, template corev1.PodTemplateSpec) error {
	pod := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: name}, Spec: template.Spec}
	_, err := env.kube.CoreV1().Pods(n.name).Create(n.t.Context(), pod, metav1.CreateOptions{DryRun: []string{metav1.DryRunAll}})
	return err
}
