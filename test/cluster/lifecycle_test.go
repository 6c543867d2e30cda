//go:build cluster

package cluster_test

import (
	"fmt"
	"testing"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	eventingv1 "knative.dev/eventing/pkg/apis/eventing/v1"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/naming"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/route"
)

func TestRecreatedAtOnce(t *testing.T) {
	t.Parallel()
	n := newNamespace(t)
	n.startSubscriber()
	brokers, triggers := env.eventing.EventingV1().Brokers(n.name), env.eventing.EventingV1().Triggers(n.name)
	const rounds = 5
	for i := range rounds {
		n.createBroker(n.broker("default"))
		n.createTrigger(n.trigger("orders", "default", "order"))
		n.mustSend("default", "order", fmt.Sprint(i))
		n.awaitEvents("orders", i+1)
		must(t, triggers.Delete(t.Context(), "orders", metav1.DeleteOptions{}))
		must(t, brokers.Delete(t.Context(), "default", metav1.DeleteOptions{}))
	}
}

func TestDeletedNamespaceIsGone(t *testing.T) {
	t.Parallel()
	n := newNamespace(t)
	n.startSubscriber()
	n.createBroker(n.broker("default"))
	for i := range 10 {
		n.createTrigger(n.trigger(fmt.Sprintf("trigger-%d", i), "default", "a"))
	}
	began := time.Now()
	must(t, env.kube.CoreV1().Namespaces().Delete(t.Context(), n.name, metav1.DeleteOptions{}))
	n.await("the namespace is gone", func() (bool, any) {
		got, err := env.kube.CoreV1().Namespaces().Get(t.Context(), n.name, metav1.GetOptions{})
		return apierrors.IsNotFound(err), asJSON(got.Status)
	})
	t.Logf("the namespace was gone after %s", time.Since(began).Round(time.Second))
}

// Somebody who deletes a consumer or a record by hand costs nobody an event.
func TestWhatIsDeletedByHandComesBack(t *testing.T) {
	t.Parallel()
	n := newNamespace(t)
	n.startSubscriber()
	n.createBroker(n.broker("default"))
	n.createTrigger(n.trigger("orders", "default", "order"))
	hand := newHand(t)
	address := route.Key{Kind: route.KindBroker, Namespace: n.name, Name: "default"}
	target := route.TargetKey{Address: address, Namespace: n.name, Name: "orders"}

	wait := n.startSender(load{broker: "default", trigger: "orders", eventType: "order", rate: 100, count: 2000, retry: 10})
	must(t, hand.JetStream.DeleteConsumer(t.Context(), hand.names.Log(address), hand.names.SharedConsumer()))
	hand.deleteRecord(naming.TargetKey(target))
	hand.deleteRecord(naming.AddressKey(address))
	wait()
	n.awaitBroker("default", "Ready", (*eventingv1.Broker).IsReady)
	n.awaitTrigger("orders", "Ready", func(got *eventingv1.Trigger) bool { return got.Status.IsReady() })
}

// Nothing can bring back what was in a stream that somebody has deleted: the Broker works again, and says so.
func TestDeletedStreamIsMadeAgainAndTold(t *testing.T) {
	t.Parallel()
	n := newNamespace(t)
	n.startSubscriber()
	n.createBroker(n.broker("default"))
	n.createTrigger(n.trigger("orders", "default", "order"))
	hand := newHand(t)
	address := route.Key{Kind: route.KindBroker, Namespace: n.name, Name: "default"}
	must(t, hand.JetStream.DeleteStream(t.Context(), hand.names.Log(address)))
	n.awaitBroker("default", "told that its log was made again", func(b *eventingv1.Broker) bool {
		c := b.Status.GetCondition("StreamReady")
		return b.IsReady() && c.IsTrue() && c.GetReason() == "StreamRemade"
	})
	n.awaitTrigger("orders", "Ready", func(got *eventingv1.Trigger) bool { return got.Status.IsReady() })
	n.mustSend("default", "order", "after")
	n.awaitEvents("orders", 1)

	must(t, env.eventing.EventingV1().Brokers(n.name).Delete(t.Context(), "default", metav1.DeleteOptions{}))
	n.await("the deleted Broker's streams and records are gone", func() (bool, any) { return hand.holdsNothingOf(address) })
}
