//go:build cluster

package cluster_test

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	duckv1 "knative.dev/pkg/apis/duck/v1"
)

const (
	manyTriggers = 1500
	manyBrokers  = 200
	// writers create resources at the same time.
	writers = 8
)

// BenchmarkTriggersOfOneBroker measures the controller with many Triggers on one Broker.
func BenchmarkTriggersOfOneBroker(b *testing.B) {
	n := newNamespace(b)
	observeController(b)
	before := statusWrites(b, "triggers")
	broker := n.broker("default")
	broker.Annotations["jetstream.eventing.knative.dev/max-consumers"] = strconv.Itoa(manyTriggers + 1)
	n.createBroker(broker)
	for b.Loop() {
		atOnce(manyTriggers, func(i int) error {
			t := n.trigger(fmt.Sprintf("trigger-%d", i), "default", fmt.Sprintf("type.%d", i))
			// An address of its own: this is about the controller, not about who answers.
			t.Spec.Subscriber = duckv1.Destination{URI: relative(b, "http://subscriber.invalid/")}
			_, err := env.eventing.EventingV1().Triggers(n.name).Create(b.Context(), t, metav1.CreateOptions{})
			return err
		}, b)
		n.awaitAllTriggers(manyTriggers)
	}
	b.ReportMetric(statusWrites(b, "triggers")-before, "status-writes")
	made := controllers(b, "trigger")
	made.report(b)
	n.reportDeletion(b, made)
}

// graceAndSweep is longer than the grace period of what was deleted and the sweep after it together.
const graceAndSweep = 90 * time.Second

// reportDeletion deletes the namespace, and adds what that has cost by the time that nothing of it is left in NATS either.
func (n *namespace) reportDeletion(b *testing.B, before usage) {
	b.Helper()
	began := time.Now()
	must(b, env.kube.CoreV1().Namespaces().Delete(b.Context(), n.name, metav1.DeleteOptions{}))
	awaitFor(b, 15*time.Minute, "the namespace is gone", func() (bool, any) {
		_, err := env.kube.CoreV1().Namespaces().Get(b.Context(), n.name, metav1.GetOptions{})
		return apierrors.IsNotFound(err), err
	})
	b.ReportMetric(time.Since(began).Seconds(), "s/deletion")
	<-time.After(graceAndSweep)
	after := controllers(b, "trigger")
	b.ReportMetric(after.reconciliations-before.reconciliations, "reconciliations/deletion")
	b.ReportMetric(after.apiCalls-before.apiCalls, "API-calls/deletion")
	b.ReportMetric(after.cpu-before.cpu, "CPU-s/deletion")
}

// BenchmarkBrokers measures the controller with many Brokers.
func BenchmarkBrokers(b *testing.B) {
	n := newNamespace(b)
	observeController(b)
	before := statusWrites(b, "brokers")
	for b.Loop() {
		atOnce(manyBrokers, func(i int) error {
			broker := n.broker(fmt.Sprintf("broker-%d", i))
			broker.Annotations["jetstream.eventing.knative.dev/max-bytes"] = "1Mi"
			_, err := env.eventing.EventingV1().Brokers(n.name).Create(b.Context(), broker, metav1.CreateOptions{})
			return err
		}, b)
		awaitFor(b, 10*time.Minute, "all Brokers are Ready", func() (bool, any) {
			list, err := env.eventing.EventingV1().Brokers(n.name).List(b.Context(), metav1.ListOptions{ResourceVersion: "0"})
			if err != nil {
				return false, err
			}
			ready := 0
			for i := range list.Items {
				if list.Items[i].IsReady() {
					ready++
				}
			}
			return ready == manyBrokers, ready
		})
	}
	b.ReportMetric(statusWrites(b, "brokers")-before, "status-writes")
	controllers(b, "broker").report(b)
}

func (n *namespace) awaitAllTriggers(want int) {
	n.t.Helper()
	awaitFor(n.t, 15*time.Minute, "all Triggers are Ready", func() (bool, any) {
		list, err := env.eventing.EventingV1().Triggers(n.name).List(n.t.Context(), metav1.ListOptions{ResourceVersion: "0"})
		if err != nil {
			return false, err
		}
		ready := 0
		for i := range list.Items {
			if list.Items[i].Status.IsReady() {
				ready++
			}
		}
		return ready == want, ready
	})
}

// atOnce calls create for 0 to count-1, some at a time.
func atOnce(count int, create func(i int) error, b *testing.B) {
	b.Helper()
	next := make(chan int)
	var running sync.WaitGroup
	for range writers {
		running.Go(func() {
			for i := range next {
				if err := create(i); err != nil {
					b.Error(err)
				}
			}
		})
	}
	for i := range count {
		next <- i
	}
	close(next)
	running.Wait()
}

// observeController has the controllers serve metrics, and starts them anew: what they report is of this benchmark only.
func observeController(b *testing.B) {
	b.Helper()
	patch := func(protocol string) {
		data := fmt.Sprintf(`{"data":{"metrics-protocol":%q}}`, protocol)
		_, err := env.kube.CoreV1().ConfigMaps(systemNamespace).Patch(background(b), "config-observability", types.MergePatchType, []byte(data), metav1.PatchOptions{})
		must(b, err)
		restart(b, controllerDeployment)
	}
	patch("prometheus")
	b.Cleanup(func() { patch("none") })
}

// statusWrites is how often the status of a resource ("triggers") has been written since the API server started.
func statusWrites(b *testing.B, resource string) float64 {
	b.Helper()
	text, err := env.kube.CoreV1().RESTClient().Get().AbsPath("/metrics").DoRaw(background(b))
	must(b, err)
	return sample(string(text), "apiserver_request_total", `resource="`+resource+`"`, `subresource="status"`, `verb="put"`)
}

// usage is what the controllers have used since they started.
type usage struct {
	// memory is that of the larger one, in bytes; cpu is that of all, in seconds.
	memory, cpu float64
	// seconds and reconciliations are the leader's. The other replica hears of the same resources and passes each by: these are no
	// reconciliations, and take no time.
	seconds, reconciliations, passedBy, apiCalls float64
}

// controllers tells what they have used for resources of the kind.
func controllers(b *testing.B, kind string) (u usage) {
	b.Helper()
	d, err := env.kube.AppsV1().Deployments(systemNamespace).Get(b.Context(), controllerDeployment, metav1.GetOptions{})
	must(b, err)
	pods, err := podsOf(b.Context(), d)
	must(b, err)
	for i := range pods {
		memory, cpu := seenByKubelet(b, &pods[i])
		u.memory, u.cpu = max(u.memory, memory), u.cpu+cpu
		text, err := env.kube.CoreV1().RESTClient().Get().Namespace(systemNamespace).Resource("pods").Name(pods[i].Name + ":9090").
			SubResource("proxy").Suffix("metrics").DoRaw(b.Context())
		must(b, err)
		u.apiCalls += sample(string(text), "kn_k8s_client_http_response_status_code_total")
		took := sample(string(text), "kn_workqueue_process_duration_seconds_sum", kind)
		processed := sample(string(text), "kn_workqueue_process_duration_seconds_count", kind)
		if took > u.seconds {
			u.seconds, processed, u.reconciliations = took, u.reconciliations, processed
		}
		u.passedBy += processed
	}
	if u.reconciliations == 0 || u.apiCalls == 0 {
		b.Fatal("the controllers have no metrics of their work")
	}
	return u
}

func (u usage) report(b *testing.B) {
	b.Helper()
	b.ReportMetric(u.memory/(1<<20), "MiB/controller")
	b.ReportMetric(u.cpu, "CPU-s")
	b.ReportMetric(u.apiCalls, "API-calls")
	b.ReportMetric(1000*u.seconds/u.reconciliations, "ms/reconciliation")
	b.ReportMetric(u.reconciliations, "reconciliations")
	b.ReportMetric(u.passedBy, "passed-by")
}

// sample adds up the series of a metric whose labels mention all of these.
func sample(text, name string, labels ...string) (sum float64) {
	series := regexp.MustCompile(`^` + name + `\{(.*)\} (\S+)$`)
	for line := range strings.Lines(text) {
		match := series.FindStringSubmatch(strings.TrimSpace(line))
		if match == nil || slices.ContainsFunc(labels, func(l string) bool { return !strings.Contains(strings.ToLower(match[1]), l) }) {
			continue
		}
		value, err := strconv.ParseFloat(match[2], 64)
		if err == nil {
			sum += value
		}
	}
	return sum
}

// seenByKubelet is what a pod has as memory, in bytes, and has used of CPUs, in seconds. The kubelet looks every few seconds: what it saw
// before is not taken.
func seenByKubelet(b *testing.B, pod *corev1.Pod) (memory, cpu float64) {
	b.Helper()
	now := time.Now()
	await(b, "the kubelet has looked at "+pod.Name, func() (bool, any) {
		raw, err := env.kube.CoreV1().RESTClient().Get().Resource("nodes").Name(pod.Spec.NodeName).SubResource("proxy").Suffix("stats/summary").DoRaw(b.Context())
		if err != nil {
			return false, err
		}
		var summary struct {
			Pods []struct {
				PodRef struct{ Name, Namespace string }
				Memory struct {
					Time            time.Time
					WorkingSetBytes float64
				}
				CPU struct {
					Time                 time.Time
					UsageCoreNanoSeconds float64
				}
			}
		}
		must(b, json.Unmarshal(raw, &summary))
		for _, p := range summary.Pods {
			if p.PodRef.Name == pod.Name && p.PodRef.Namespace == pod.Namespace && p.Memory.Time.After(now) && p.CPU.Time.After(now) {
				memory, cpu = p.Memory.WorkingSetBytes, p.CPU.UsageCoreNanoSeconds/1e9
				return true, nil
			}
		}
		return false, summary
	})
	return memory, cpu
}
