//go:build cluster

package cluster_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	eventingv1 "knative.dev/eventing/pkg/apis/eventing/v1"
)

// The tests in this file disturb all others, so they run alone: they are not parallel.

const (
	ingressDeployment    = "eventing-jetstream-ingress"
	filterDeployment     = "eventing-jetstream-filter"
	controllerDeployment = "eventing-jetstream-controller"
	natsStatefulSet      = "eventing-jetstream-nats"
)

// The sender repeats no request, so a single one that is refused or broken off is seen.
func TestRolloutRestartLosesAndRefusesNothing(t *testing.T) {
	n := newNamespace(t)
	n.startSubscriber()
	n.createBroker(n.broker("default"))
	n.createTrigger(n.trigger("orders", "default", "order"))
	wait := n.startSender(load{broker: "default", trigger: "orders", eventType: "order", rate: 200, count: 200 * 100})
	for _, deployment := range []string{ingressDeployment, filterDeployment} {
		t.Logf("%s restarted within %s", deployment, restart(t, deployment).Round(time.Second))
	}
	if n.events("orders") == 200*100 {
		t.Error("the load ended before the restarts did")
	}
	wait()
}

func TestAnotherControllerTakesOver(t *testing.T) {
	n := newNamespace(t)
	n.startSubscriber()
	n.createBroker(n.broker("default"))
	leases, err := env.kube.CoordinationV1().Leases(systemNamespace).List(t.Context(), metav1.ListOptions{})
	must(t, err)
	leader := ""
	for _, lease := range leases.Items {
		if holder := lease.Spec.HolderIdentity; holder != nil && strings.HasPrefix(*holder, controllerDeployment) && strings.Contains(lease.Name, "broker") {
			leader, _, _ = strings.Cut(*holder, "_")
		}
	}
	if leader == "" {
		t.Fatalf("nobody leads: %s", asJSON(leases.Items))
	}
	now := int64(0) // as if its machine had died
	must(t, env.kube.CoreV1().Pods(systemNamespace).Delete(t.Context(), leader, metav1.DeleteOptions{GracePeriodSeconds: &now}))
	began := time.Now()
	n.createTrigger(n.trigger("orders", "default", "order"))
	t.Logf("a Trigger was Ready %s after %s was killed", time.Since(began).Round(100*time.Millisecond), leader)
	n.mustSend("default", "order", "1")
	n.awaitEvents("orders", 1)
	d, err := env.kube.AppsV1().Deployments(systemNamespace).Get(t.Context(), controllerDeployment, metav1.GetOptions{})
	must(t, err)
	awaitRollout(t, d)
}

// With NATS away, conditions say so and since when; with NATS back, everything goes on by itself.
func TestNATSAway(t *testing.T) {
	n := newNamespace(t)
	n.startSubscriber()
	n.createBroker(n.broker("default"))
	n.createTrigger(n.trigger("orders", "default", "order"))
	scaleNATS(t, 0)
	t.Cleanup(func() {
		scaleNATS(t, 1)
		n.awaitBroker("default", "Ready again", (*eventingv1.Broker).IsReady)
	})
	began := time.Now()
	b := n.awaitBroker("default", "told that NATS is away", func(b *eventingv1.Broker) bool {
		return !b.IsReady() && !b.Status.GetCondition("NATSConnected").IsTrue()
	})
	c := b.Status.GetCondition("NATSConnected")
	t.Logf("after %s: %s", time.Since(began).Round(time.Second), asJSON(c))
	if !strings.Contains(c.Message, "since") {
		t.Errorf("the condition does not say since when: %s", c.Message)
	}
	scaleNATS(t, 1)
	n.awaitBroker("default", "Ready again", (*eventingv1.Broker).IsReady)
	n.awaitTrigger("orders", "Ready again", func(got *eventingv1.Trigger) bool { return got.Status.IsReady() })
	// The API server sends to a pod that is ready, which the kubelet finds out a moment later.
	n.await("an ingress takes events", func() (bool, any) { s := n.send("default", "order", "back"); return s == http.StatusAccepted, s })
	n.awaitEvents("orders", 1)
}

// scaleNATS scales the NATS of config/nats, and waits until its pods are as many.
func scaleNATS(t *testing.T, replicas int) {
	t.Helper()
	patch := fmt.Sprintf(`{"spec":{"replicas":%d}}`, replicas)
	_, err := env.kube.AppsV1().StatefulSets(systemNamespace).Patch(background(t), natsStatefulSet, types.MergePatchType, []byte(patch), metav1.PatchOptions{})
	must(t, err)
	awaitNATS(t, types.NamespacedName{Namespace: systemNamespace, Name: natsStatefulSet}, replicas)
}

// awaitNATS waits until a NATS has this number of pods, all of them ready.
func awaitNATS(t testing.TB, name types.NamespacedName, replicas int) {
	t.Helper()
	await(t, fmt.Sprintf("NATS has %d pods", replicas), func() (bool, any) {
		pods, err := env.kube.CoreV1().Pods(name.Namespace).List(background(t), metav1.ListOptions{LabelSelector: "app=" + name.Name})
		if err != nil {
			return false, err
		}
		ready := 0
		for _, p := range pods.Items {
			for _, c := range p.Status.Conditions {
				if c.Type == corev1.PodReady && c.Status == corev1.ConditionTrue {
					ready++
				}
			}
		}
		return len(pods.Items) == replicas && ready == replicas, asJSON(pods.Items)
	})
}
