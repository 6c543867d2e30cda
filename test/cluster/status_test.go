//go:build cluster

package cluster_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	eventingv1 "knative.dev/eventing/pkg/apis/eventing/v1"
	"knative.dev/pkg/apis"
	duckv1 "knative.dev/pkg/apis/duck/v1"
)

func TestStatusIsCompleteAndTrue(t *testing.T) {
	t.Parallel()
	n := newNamespace(t)
	n.startSubscriber()
	b := n.createBroker(n.broker("default"))
	want := fmt.Sprintf("http://eventing-jetstream-ingress.%s.svc.cluster.local/%s/default", systemNamespace, n.name)
	if b.Status.Address == nil || b.Status.Address.URL.String() != want || len(b.Status.Addresses) == 0 ||
		b.Status.ObservedGeneration != b.Generation {
		t.Errorf("the Broker's status is %s", asJSON(b.Status))
	}
	for _, c := range b.Status.Conditions {
		if !c.IsTrue() && c.Severity == apis.ConditionSeverityError {
			t.Errorf("the Broker is Ready and its condition is %s", asJSON(c))
		}
	}
	trigger := n.trigger("orders", "default", "order")
	trigger.Spec.Delivery = nil
	n.createTrigger(trigger)
	got := n.awaitTrigger("orders", "Ready", func(got *eventingv1.Trigger) bool { return got.Status.IsReady() })
	if want := fmt.Sprintf("http://%s.%s.svc.cluster.local/-/count/orders", subscriber, n.name); got.Status.SubscriberURI.String() != want {
		t.Errorf("subscriberUri is %s, want %s", got.Status.SubscriberURI, want)
	}
	must(t, env.kube.CoreV1().Services(n.name).Delete(t.Context(), subscriber, metav1.DeleteOptions{}))
	n.awaitTrigger("orders", "without a subscriber", func(got *eventingv1.Trigger) bool {
		return !got.Status.IsReady() && got.Status.SubscriberURI == nil
	})
	n.createSubscriberService()
	n.awaitTrigger("orders", "Ready again", func(got *eventingv1.Trigger) bool { return got.Status.IsReady() })
}

// Ready is a promise: an event that is sent after it reaches the Trigger.
func TestReadyMeansDelivered(t *testing.T) {
	t.Parallel()
	n := newNamespace(t)
	n.startSubscriber()
	n.createBroker(n.broker("default"))
	n.readyMeansDelivered(env.triggers)
}

// readyMeansDelivered creates a Trigger, waits until it is Ready, and sends one event, again and again.
func (n *namespace) readyMeansDelivered(times int) {
	n.t.Helper()
	began := time.Now()
	for i := range times {
		name := fmt.Sprintf("trigger-%d", i)
		trigger := n.trigger(name, "default", "type."+name)
		trigger.Spec.Subscriber.URI = relative(n.t, countPrefix+"all") // each gets one event, and no two the same
		n.createTrigger(trigger)
		n.mustSend("default", "type."+name, name)
	}
	sent := time.Since(began)
	n.awaitEvents("all", times)
	n.t.Logf("%d times: create a Trigger, wait for Ready, send one event; lost 0, %s each", times, sent/time.Duration(times))
}

func TestConfigOfABroker(t *testing.T) {
	t.Parallel()
	n := newNamespace(t)
	maps := env.kube.CoreV1().ConfigMaps(n.name)
	m, err := maps.Create(t.Context(), &corev1.ConfigMap{
		ObjectMeta: metav1.ObjectMeta{Name: "small"}, Data: map[string]string{"max-bytes": "64Mi"},
	}, metav1.CreateOptions{})
	must(t, err)
	b := n.broker("default")
	b.Spec.Config = &duckv1.KReference{APIVersion: "v1", Kind: "ConfigMap", Namespace: n.name, Name: m.Name}
	n.createBroker(b)

	m.Data = map[string]string{"replicas": "many"}
	m, err = maps.Update(t.Context(), m, metav1.UpdateOptions{})
	must(t, err)
	n.awaitBroker("default", "told which key is wrong", func(b *eventingv1.Broker) bool {
		return !b.IsReady() && strings.Contains(asJSON(b.Status.Conditions), "replicas")
	})
	if status := n.send("default", "a", "1"); status != http.StatusAccepted {
		t.Errorf("a ConfigMap that became wrong stops events: %d", status)
	}
	m.Data = map[string]string{"max-bytes": "128Mi"}
	_, err = maps.Update(t.Context(), m, metav1.UpdateOptions{})
	must(t, err)
	n.awaitBroker("default", "Ready again", (*eventingv1.Broker).IsReady)
	must(t, maps.Delete(t.Context(), m.Name, metav1.DeleteOptions{}))
	n.awaitBroker("default", "told that its ConfigMap is missing", func(b *eventingv1.Broker) bool {
		return !b.IsReady() && strings.Contains(asJSON(b.Status.Conditions), m.Name)
	})
}

// A Broker of another class, and its Triggers, are somebody else's.
func TestOthersAreNotTouched(t *testing.T) {
	t.Parallel()
	n := newNamespace(t)
	n.startSubscriber()
	b := n.broker("theirs")
	b.Annotations[eventingv1.BrokerClassAnnotationKey] = "NobodysBroker"
	_, err := env.eventing.EventingV1().Brokers(n.name).Create(t.Context(), b, metav1.CreateOptions{})
	must(t, err)
	_, err = env.eventing.EventingV1().Triggers(n.name).Create(t.Context(), n.trigger("theirs", "theirs", "a"), metav1.CreateOptions{})
	must(t, err)
	// What came later and is done shows that what came before was seen.
	n.createBroker(n.broker("ours"))
	n.createTrigger(n.trigger("ours", "ours", "a"))
	other, err := env.eventing.EventingV1().Brokers(n.name).Get(t.Context(), "theirs", metav1.GetOptions{})
	must(t, err)
	theirs, err := env.eventing.EventingV1().Triggers(n.name).Get(t.Context(), "theirs", metav1.GetOptions{})
	must(t, err)
	if len(other.Status.Conditions) > 0 || len(theirs.Status.Conditions) > 0 || len(other.Finalizers) > 0 || len(theirs.Finalizers) > 0 {
		t.Errorf("%s %v, %s %v", asJSON(other.Status), other.Finalizers, asJSON(theirs.Status), theirs.Finalizers)
	}
	ours, err := env.eventing.EventingV1().Triggers(n.name).Get(t.Context(), "ours", metav1.GetOptions{})
	must(t, err)
	if !slices.Equal(ours.Finalizers, nil) {
		t.Errorf("finalizers %v", ours.Finalizers)
	}
}
