package main

import (
	"bytes"
	"io"
	"net/http"
	"slices"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	eventingduckv1 "knative.dev/eventing/pkg/apis/duck/v1"
	eventingv1alpha1 "knative.dev/eventing/pkg/apis/eventing/v1alpha1"
	eventingclient "knative.dev/eventing/pkg/client/injection/client"
	"knative.dev/pkg/apis"
	kubeclient "knative.dev/pkg/client/injection/kube/client"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/apis/messaging/v1alpha1"
	typed "github.com/eventing-jetstream/eventing-jetstream/pkg/client/clientset/versioned/typed/messaging/v1alpha1"
	messagingclient "github.com/eventing-jetstream/eventing-jetstream/pkg/client/injection/client"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/reconciler/address"
)

func (c *cluster) channels() typed.NatsJetStreamChannelInterface {
	return messagingclient.Get(c.ctx).MessagingV1alpha1().NatsJetStreamChannels(namespace)
}

// createChannel makes a channel with a small log and these subscribers.
func (c *cluster) createChannel(name string, subscribers ...eventingduckv1.SubscriberSpec) {
	c.t.Helper()
	channel := &v1alpha1.NatsJetStreamChannel{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name, UID: types.UID(name + "-uid"), Generation: 1}}
	channel.Spec.Stream = &v1alpha1.Stream{Config: &v1alpha1.StreamConfig{MaxBytes: 16 << 20}}
	channel.Spec.Subscribers = subscribers
	_, err := c.channels().Create(c.ctx, channel, metav1.CreateOptions{})
	must(c.t, err)
}

func subscriberAt(uid, url string) eventingduckv1.SubscriberSpec {
	to, _ := apis.ParseURL(url) // a subscriber that is not there fails the test
	return eventingduckv1.SubscriberSpec{UID: types.UID(uid), Generation: 1, SubscriberURI: to}
}

func (c *cluster) channel(name string) *v1alpha1.NatsJetStreamChannel {
	c.t.Helper()
	channel, err := c.channels().Get(c.ctx, name, metav1.GetOptions{})
	must(c.t, err)
	return channel
}

// awaitChannelReady waits for the channel and each of its subscribers.
func (c *cluster) awaitChannelReady(name string) {
	c.t.Helper()
	c.await("channel "+name+" is Ready", func() (bool, any) {
		channel := c.channel(name)
		ready := channel.Status.GetCondition(apis.ConditionReady).IsTrue() && len(channel.Status.Subscribers) == len(channel.Spec.Subscribers)
		for _, s := range channel.Status.Subscribers {
			ready = ready && s.Ready == corev1.ConditionTrue && s.ObservedGeneration == 1
		}
		return ready, channel.Status
	})
}

// sendToChannel posts an event as a pod would that looked the channel's host name up.
func (c *cluster) sendToChannel(name, id string) int {
	c.t.Helper()
	request, err := http.NewRequestWithContext(c.ctx, http.MethodPost, c.ingress, bytes.NewReader(nil))
	must(c.t, err)
	request.Host = c.channel(name).Status.Address.URL.Host
	for name, value := range map[string]string{"Ce-Id": id, "Ce-Source": "/s", "Ce-Type": "t", "Ce-Specversion": "1.0"} {
		request.Header.Set(name, value)
	}
	answer, err := http.DefaultClient.Do(request)
	must(c.t, err)
	defer answer.Body.Close()
	_, _ = io.Copy(io.Discard, answer.Body)
	return answer.StatusCode
}

func TestChannelCarriesEventsToItsSubscribers(t *testing.T) {
	c, s := start(t), newSubscriber(t)
	c.createChannel("orders", subscriberAt("one", s.url+"/one"), subscriberAt("two", s.url+"/two"))
	c.awaitChannelReady("orders")
	channel := c.channel("orders")
	if host := channel.Status.Address.URL.String(); host != "http://orders-kn-jsm-channel.shop.svc.cluster.local" {
		t.Error(host)
	}
	if len(channel.Finalizers) > 0 {
		t.Errorf("finalizers %v", channel.Finalizers)
	}
	if status := c.sendToChannel("orders", "1"); status != http.StatusAccepted {
		t.Fatal(status)
	}
	c.await("both have the event", func() (bool, any) {
		return slices.Equal(s.ids("/one"), []string{"1"}) && slices.Equal(s.ids("/two"), []string{"1"}), nil
	})

	service, err := kubeclient.Get(c.ctx).CoreV1().Services(namespace).Get(c.ctx, "orders-kn-jsm-channel", metav1.GetOptions{})
	must(t, err)
	if service.Spec.ExternalName != "eventing-jetstream-ingress.knative-testing.svc.cluster.local" || !metav1.IsControlledBy(service, channel) {
		t.Errorf("%+v", service)
	}
	must(t, kubeclient.Get(c.ctx).CoreV1().Services(namespace).Delete(c.ctx, service.Name, metav1.DeleteOptions{}))
	c.await("a Service that was deleted by hand comes back", func() (bool, any) {
		_, err := kubeclient.Get(c.ctx).CoreV1().Services(namespace).Get(c.ctx, service.Name, metav1.GetOptions{})
		return err == nil, err
	})
}

func TestSubscribersComeAndGo(t *testing.T) {
	c, s := start(t), newSubscriber(t)
	c.createChannel("orders", subscriberAt("one", s.url+"/one"))
	c.awaitChannelReady("orders")
	c.awaitRoutes("channel orders", "subscriber one")

	channel := c.channel("orders")
	channel.Spec.Subscribers = []eventingduckv1.SubscriberSpec{subscriberAt("two", s.url+"/two"), subscriberAt("three", "http://user:secret@odd/")}
	_, err := c.channels().Update(c.ctx, channel, metav1.UpdateOptions{})
	must(t, err)
	c.awaitRoutes("channel orders", "subscriber two")
	c.await("each subscriber has its own readiness", func() (bool, any) {
		all := c.channel("orders").Status.Subscribers
		return len(all) == 2 && all[0].Ready == corev1.ConditionTrue && all[1].Ready == corev1.ConditionFalse && all[1].Message != "", all
	})

	must(t, c.channels().Delete(c.ctx, "orders", metav1.DeleteOptions{}))
	c.awaitRoutes()
}

// A channel that never became ready goes like any other (D24).
func TestNeverReadyChannelGoes(t *testing.T) {
	c := start(t)
	channel := &v1alpha1.NatsJetStreamChannel{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "odd", UID: "odd", Generation: 1}}
	channel.Spec.Stream = &v1alpha1.Stream{OverrideName: "NOBODYS"}
	_, err := c.channels().Create(c.ctx, channel, metav1.CreateOptions{})
	must(t, err)
	c.await("it says why", func() (bool, any) {
		condition := c.channel("odd").Status.GetCondition(v1alpha1.ConditionStream)
		return condition.IsFalse() && condition.Reason == address.ReasonNotStored, condition
	})
	if found := c.channel("odd"); len(found.Finalizers) > 0 {
		t.Errorf("finalizers %v", found.Finalizers)
	}
	must(t, c.channels().Delete(c.ctx, "odd", metav1.DeleteOptions{}))
	c.awaitRoutes()
}

func TestChannelRefusesWhilePolicyIsNotEnforced(t *testing.T) {
	c, s := start(t), newSubscriber(t)
	c.createChannel("orders", subscriberAt("one", s.url+"/one"))
	c.awaitChannelReady("orders")
	policy := &eventingv1alpha1.EventPolicy{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "closed"}}
	policy.Spec.To = []eventingv1alpha1.EventPolicySpecTo{{Ref: &eventingv1alpha1.EventPolicyToReference{
		APIVersion: v1alpha1.SchemeGroupVersion.String(), Kind: v1alpha1.Kind, Name: "orders",
	}}}
	_, err := eventingclient.Get(c.ctx).EventingV1alpha1().EventPolicies(namespace).Create(c.ctx, policy, metav1.CreateOptions{})
	must(t, err)
	c.await("the channel says that it refuses", func() (bool, any) {
		condition := c.channel("orders").Status.GetCondition(v1alpha1.ConditionEventPolicies)
		return condition.IsFalse() && condition.Reason == address.ReasonPolicyUnenforced, condition
	})
	c.await("and does", func() (bool, any) {
		status := c.sendToChannel("orders", "1")
		return status == http.StatusForbidden, status
	})
}
