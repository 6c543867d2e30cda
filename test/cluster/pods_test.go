//go:build cluster

package cluster_test

import (
	"context"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/intstr"
	"knative.dev/pkg/apis"
)

// subscriber is the name of each namespace's counting subscriber.
const subscriber = "subscriber"

func relative(t testing.TB, path string) *apis.URL {
	t.Helper()
	u, err := apis.ParseURL(path)
	must(t, err)
	return u
}

func isTrue() *bool  { v := true; return &v }
func isFalse() *bool { v := false; return &v }

// pod runs kn-jetstream under the strictest rules that a namespace may have.
func pod(args ...string) corev1.PodSpec {
	user := int64(65532)
	return corev1.PodSpec{
		AutomountServiceAccountToken: isFalse(), EnableServiceLinks: isFalse(), RestartPolicy: corev1.RestartPolicyNever,
		SecurityContext: &corev1.PodSecurityContext{
			RunAsNonRoot: isTrue(), RunAsUser: &user, SeccompProfile: &corev1.SeccompProfile{Type: corev1.SeccompProfileTypeRuntimeDefault},
		},
		Containers: []corev1.Container{{
			Name: "kn-jetstream", Image: env.image, Args: args,
			SecurityContext: &corev1.SecurityContext{
				AllowPrivilegeEscalation: isFalse(), ReadOnlyRootFilesystem: isTrue(), Capabilities: &corev1.Capabilities{Drop: []corev1.Capability{"ALL"}},
			},
		}},
	}
}

// countPrefix is the path below which kn-jetstream display counts events under a name.
const countPrefix = "/-/count/"

// startSubscriber runs the counting subscriber behind a Service, and waits until it answers.
func (n *namespace) startSubscriber() {
	n.t.Helper()
	spec := pod("display", "--listen=:8080", "--quiet")
	spec.Containers[0].ReadinessProbe = &corev1.Probe{
		PeriodSeconds: 1, ProbeHandler: corev1.ProbeHandler{TCPSocket: &corev1.TCPSocketAction{Port: intstr.FromInt32(8080)}},
	}
	labels := map[string]string{"app": subscriber}
	_, err := env.kube.CoreV1().Pods(n.name).Create(n.t.Context(),
		&corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: subscriber, Labels: labels}, Spec: spec}, metav1.CreateOptions{})
	must(n.t, err)
	n.createSubscriberService()
	n.await("the subscriber answers", func() (bool, any) {
		_, err := env.kube.CoreV1().RESTClient().Get().Namespace(n.name).Resource("services").Name(subscriber+":http").
			SubResource("proxy").Suffix(strings.Trim(countPrefix, "/"), "probe").DoRaw(n.t.Context())
		return err == nil, err
	})
}

func (n *namespace) createSubscriberService() {
	n.t.Helper()
	_, err := env.kube.CoreV1().Services(n.name).Create(n.t.Context(), &corev1.Service{
		ObjectMeta: metav1.ObjectMeta{Name: subscriber},
		Spec: corev1.ServiceSpec{
			Selector: map[string]string{"app": subscriber},
			Ports:    []corev1.ServicePort{{Name: "http", Port: 80, TargetPort: intstr.FromInt32(8080)}},
		},
	}, metav1.CreateOptions{})
	must(n.t, err)
}

// load is a sender in a pod. It counts what it sent against what the Trigger's counter got.
type load struct {
	broker, trigger, eventType string
	rate, count                int
	// retry is how often a request that was refused is repeated: 0 finds every refusal.
	retry int
}

// startSender starts the load. What it returns waits for the end; the test fails unless every event was accepted at once, and arrived.
func (n *namespace) startSender(l load) (wait func()) {
	n.t.Helper()
	spec := pod("send", fmt.Sprintf("http://eventing-jetstream-ingress.%s.svc/%s/%s", systemNamespace, n.name, l.broker),
		"--type="+l.eventType, "--size=1024", fmt.Sprintf("--rate=%d", l.rate), fmt.Sprintf("--count=%d", l.count), fmt.Sprintf("--retry=%d", l.retry),
		fmt.Sprintf("--counted-at=http://%s.%s.svc%s%s", subscriber, n.name, countPrefix, l.trigger))
	_, err := env.kube.CoreV1().Pods(n.name).Create(n.t.Context(), &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: "sender"}, Spec: spec}, metav1.CreateOptions{})
	must(n.t, err)
	n.await("the first events have arrived", func() (bool, any) { return n.events(l.trigger) > 0, n.podLog("sender") })
	return func() {
		n.t.Helper()
		var phase corev1.PodPhase
		n.await("the sender has ended", func() (bool, any) {
			p, err := env.kube.CoreV1().Pods(n.name).Get(n.t.Context(), "sender", metav1.GetOptions{})
			if err != nil {
				return false, err
			}
			phase = p.Status.Phase
			return phase == corev1.PodSucceeded || phase == corev1.PodFailed, phase
		})
		n.t.Logf("the sender says:\n%s", n.podLog("sender"))
		if phase != corev1.PodSucceeded || n.events(l.trigger) != l.count {
			n.t.Errorf("the sender has %s; %d of %d events arrived", phase, n.events(l.trigger), l.count)
		}
	}
}

func (n *namespace) podLog(name string) string {
	stream, err := env.kube.CoreV1().Pods(n.name).GetLogs(name, &corev1.PodLogOptions{}).Stream(background(n.t))
	if err != nil {
		return err.Error()
	}
	defer stream.Close()
	text, err := io.ReadAll(io.LimitReader(stream, 64<<10))
	if err != nil {
		return err.Error()
	}
	return string(text)
}

// restart does what kubectl rollout restart does, and waits until the new pods serve and the old ones are gone.
func restart(t testing.TB, deployment string) time.Duration {
	t.Helper()
	began := time.Now()
	patch := fmt.Sprintf(`{"spec":{"template":{"metadata":{"annotations":{"kubectl.kubernetes.io/restartedAt":%q}}}}}`, began.Format(time.RFC3339Nano))
	d, err := env.kube.AppsV1().Deployments(systemNamespace).Patch(background(t), deployment, types.StrategicMergePatchType, []byte(patch), metav1.PatchOptions{})
	must(t, err)
	awaitRollout(t, d)
	return time.Since(began)
}

func awaitRollout(t testing.TB, d *appsv1.Deployment) {
	t.Helper()
	await(t, d.Name+" is rolled out", func() (bool, any) {
		got, err := env.kube.AppsV1().Deployments(systemNamespace).Get(background(t), d.Name, metav1.GetOptions{})
		if err != nil {
			return false, err
		}
		s := got.Status
		if s.ObservedGeneration < d.Generation || s.UpdatedReplicas != *got.Spec.Replicas || s.AvailableReplicas != *got.Spec.Replicas {
			return false, asJSON(s)
		}
		pods, err := podsOf(background(t), got)
		return err == nil && len(pods) == int(*got.Spec.Replicas), fmt.Sprintf("%d pods, %v", len(pods), err)
	})
}

// podsOf returns the pods of a Deployment, ending ones too.
func podsOf(ctx context.Context, d *appsv1.Deployment) ([]corev1.Pod, error) {
	pods, err := env.kube.CoreV1().Pods(d.Namespace).List(ctx, metav1.ListOptions{LabelSelector: metav1.FormatLabelSelector(d.Spec.Selector)})
	if err != nil {
		return nil, err
	}
	return pods.Items, nil
}
