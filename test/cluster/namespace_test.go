//go:build cluster

package cluster_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	eventingv1 "knative.dev/eventing/pkg/apis/eventing/v1"
	duckv1 "knative.dev/pkg/apis/duck/v1"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/compile"
)

// waitTime bounds every wait for the cluster, on a machine that is busy with the cluster itself.
const waitTime = 2 * time.Minute

// namespace is a test's own namespace, with a subscriber that counts.
type namespace struct {
	t    testing.TB
	name string
}

// newNamespace makes a namespace that is deleted when the test ends, and told about when it has failed.
func newNamespace(t testing.TB) *namespace {
	t.Helper()
	made, err := env.kube.CoreV1().Namespaces().Create(t.Context(),
		&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{GenerateName: "jetstream-e2e-"}}, metav1.CreateOptions{})
	must(t, err)
	n := &namespace{t: t, name: made.Name}
	t.Cleanup(func() {
		if t.Failed() {
			n.describe()
		}
		err := env.kube.CoreV1().Namespaces().Delete(background(t), n.name, metav1.DeleteOptions{})
		if err != nil && !apierrors.IsNotFound(err) {
			t.Error(err)
		}
	})
	return n
}

// describe logs what a reader of a failed test asks first.
func (n *namespace) describe() {
	ctx := background(n.t)
	if brokers, err := env.eventing.EventingV1().Brokers(n.name).List(ctx, metav1.ListOptions{}); err == nil {
		for _, b := range brokers.Items {
			n.t.Logf("Broker %s: %s", b.Name, asJSON(b.Status))
		}
	}
	if triggers, err := env.eventing.EventingV1().Triggers(n.name).List(ctx, metav1.ListOptions{}); err == nil {
		said := 0
		for _, trigger := range triggers.Items {
			if !trigger.Status.IsReady() && said < 5 {
				said++
				n.t.Logf("Trigger %s: %s", trigger.Name, asJSON(trigger.Status))
			}
		}
	}
}

func asJSON(v any) string {
	text, err := json.Marshal(v)
	if err != nil {
		return err.Error()
	}
	return string(text)
}

// await repeats condition until it holds; what it has seen last is in the failure.
func (n *namespace) await(what string, condition func() (bool, any)) {
	n.t.Helper()
	await(n.t, what, condition)
}

func await(t testing.TB, what string, condition func() (bool, any)) {
	t.Helper()
	awaitFor(t, waitTime, what, condition)
}

func awaitFor(t testing.TB, most time.Duration, what string, condition func() (bool, any)) {
	t.Helper()
	deadline := time.After(most)
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for {
		holds, seen := condition()
		if holds {
			return
		}
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("waited %s in vain until %s; last seen: %v", most, what, seen)
		}
	}
}

func (n *namespace) broker(name string) *eventingv1.Broker {
	return &eventingv1.Broker{ObjectMeta: metav1.ObjectMeta{
		Namespace: n.name, Name: name, Annotations: map[string]string{eventingv1.BrokerClassAnnotationKey: compile.BrokerClass},
	}}
}

// createBroker creates it and waits until it is Ready.
func (n *namespace) createBroker(b *eventingv1.Broker) *eventingv1.Broker {
	n.t.Helper()
	_, err := env.eventing.EventingV1().Brokers(n.name).Create(n.t.Context(), b, metav1.CreateOptions{})
	must(n.t, err)
	return n.awaitBroker(b.Name, "Ready", (*eventingv1.Broker).IsReady)
}

// awaitBroker returns the Broker when it is as wanted.
func (n *namespace) awaitBroker(name, what string, wanted func(*eventingv1.Broker) bool) *eventingv1.Broker {
	n.t.Helper()
	var b *eventingv1.Broker
	n.await(fmt.Sprintf("Broker %s is %s", name, what), func() (bool, any) {
		var err error
		if b, err = env.eventing.EventingV1().Brokers(n.name).Get(background(n.t), name, metav1.GetOptions{}); err != nil {
			return false, err
		}
		return wanted(b), asJSON(b.Status)
	})
	return b
}

// trigger of events of this type, to the counter of its own name.
func (n *namespace) trigger(name, broker, eventType string) *eventingv1.Trigger {
	path := countPrefix + name
	return &eventingv1.Trigger{
		ObjectMeta: metav1.ObjectMeta{Namespace: n.name, Name: name},
		Spec: eventingv1.TriggerSpec{
			Broker: broker,
			Filter: &eventingv1.TriggerFilter{Attributes: eventingv1.TriggerFilterAttributes{"type": eventType}},
			Subscriber: duckv1.Destination{
				Ref: &duckv1.KReference{APIVersion: "v1", Kind: "Service", Name: subscriber}, URI: relative(n.t, path),
			},
		},
	}
}

func (n *namespace) createTrigger(trigger *eventingv1.Trigger) {
	n.t.Helper()
	_, err := env.eventing.EventingV1().Triggers(n.name).Create(n.t.Context(), trigger, metav1.CreateOptions{})
	must(n.t, err)
	n.awaitTrigger(trigger.Name, "Ready", func(got *eventingv1.Trigger) bool { return got.Status.IsReady() })
}

func (n *namespace) awaitTrigger(name, what string, wanted func(*eventingv1.Trigger) bool) *eventingv1.Trigger {
	n.t.Helper()
	var got *eventingv1.Trigger
	n.await(fmt.Sprintf("Trigger %s is %s", name, what), func() (bool, any) {
		var err error
		if got, err = env.eventing.EventingV1().Triggers(n.name).Get(background(n.t), name, metav1.GetOptions{}); err != nil {
			return false, err
		}
		return got.Generation == got.Status.ObservedGeneration && wanted(got), asJSON(got.Status)
	})
	return got
}

// send posts one event to a Broker, through the API server, and returns the status of the ingress's answer.
func (n *namespace) send(broker, eventType, id string) int {
	n.t.Helper()
	status := 0
	result := env.kube.CoreV1().RESTClient().Post().Namespace(systemNamespace).
		Resource("services").Name("eventing-jetstream-ingress:http").SubResource("proxy").Suffix(n.name, broker).
		SetHeader("Ce-Specversion", "1.0").SetHeader("Ce-Type", eventType).SetHeader("Ce-Id", id).SetHeader("Ce-Source", "/e2e").
		SetHeader("Content-Type", "text/plain").Body([]byte("hello")).Do(n.t.Context())
	result.StatusCode(&status)
	if refused, ok := errors.AsType[*apierrors.StatusError](result.Error()); ok {
		status = int(refused.ErrStatus.Code)
	}
	if status == 0 {
		n.t.Fatalf("event %s: %v", id, result.Error())
	}
	return status
}

func (n *namespace) mustSend(broker, eventType, id string) {
	n.t.Helper()
	if status := n.send(broker, eventType, id); status != http.StatusAccepted {
		n.t.Fatalf("event %s is answered %d", id, status)
	}
}

// events returns how many different events the Trigger's counter has got.
func (n *namespace) events(trigger string) int {
	n.t.Helper()
	body, err := env.kube.CoreV1().RESTClient().Get().Namespace(n.name).Resource("services").Name(subscriber+":http").
		SubResource("proxy").Suffix(strings.Trim(countPrefix, "/"), trigger).DoRaw(n.t.Context())
	must(n.t, err)
	var count struct {
		Events int `json:"events"`
	}
	must(n.t, json.Unmarshal(body, &count))
	return count.Events
}

func (n *namespace) awaitEvents(trigger string, want int) {
	n.t.Helper()
	n.await(fmt.Sprintf("%d events have arrived through Trigger %s", want, trigger), func() (bool, any) {
		got := n.events(trigger)
		return got == want, got
	})
}
