//go:build cluster

package cluster_test

import (
	"net/http"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	messagingv1 "knative.dev/eventing/pkg/apis/messaging/v1"
	"knative.dev/pkg/apis"
	duckv1 "knative.dev/pkg/apis/duck/v1"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/apis/messaging/v1alpha1"
	typed "github.com/eventing-jetstream/eventing-jetstream/pkg/client/clientset/versioned/typed/messaging/v1alpha1"
)

func (n *namespace) channels() typed.NatsJetStreamChannelInterface {
	return env.messaging.MessagingV1alpha1().NatsJetStreamChannels(n.name)
}

func (n *namespace) createChannel(c *v1alpha1.NatsJetStreamChannel) *v1alpha1.NatsJetStreamChannel {
	n.t.Helper()
	made, err := n.channels().Create(n.t.Context(), c, metav1.CreateOptions{})
	must(n.t, err)
	return made
}

func channelNamed(name string) *v1alpha1.NatsJetStreamChannel {
	return &v1alpha1.NatsJetStreamChannel{ObjectMeta: metav1.ObjectMeta{Name: name}}
}

// awaitChannel waits until the channel has this status in this condition.
func (n *namespace) awaitChannel(name string, condition apis.ConditionType, status corev1.ConditionStatus) {
	n.t.Helper()
	n.await("channel "+name+" has "+string(condition)+" "+string(status), func() (bool, any) {
		c, err := n.channels().Get(n.t.Context(), name, metav1.GetOptions{})
		if err != nil {
			return false, err
		}
		got := c.Status.GetCondition(condition)
		return got != nil && got.Status == status && c.Status.ObservedGeneration == c.Generation, asJSON(c.Status)
	})
}

// subscribe makes a Subscription to the counter of its own name and waits until it is Ready.
func (n *namespace) subscribe(name, channel string) {
	n.t.Helper()
	subscriptions := env.eventing.MessagingV1().Subscriptions(n.name)
	_, err := subscriptions.Create(n.t.Context(), &messagingv1.Subscription{
		ObjectMeta: metav1.ObjectMeta{Name: name},
		Spec: messagingv1.SubscriptionSpec{
			Channel: duckv1.KReference{APIVersion: v1alpha1.SchemeGroupVersion.String(), Kind: v1alpha1.Kind, Name: channel},
			Subscriber: &duckv1.Destination{
				Ref: &duckv1.KReference{APIVersion: "v1", Kind: "Service", Name: subscriber}, URI: relative(n.t, countPrefix+name),
			},
		},
	}, metav1.CreateOptions{})
	must(n.t, err)
	n.await("Subscription "+name+" is Ready", func() (bool, any) {
		s, err := subscriptions.Get(n.t.Context(), name, metav1.GetOptions{})
		if err != nil {
			return false, err
		}
		return s.Status.IsReady(), asJSON(s.Status)
	})
}

// sendToChannel posts one event by the channel's path, through the API server, and returns the status of the answer.
func (n *namespace) sendToChannel(channel, id string) int {
	n.t.Helper()
	status := 0
	result := env.kube.CoreV1().RESTClient().Post().Namespace(systemNamespace).
		Resource("services").Name("eventing-jetstream-ingress:http").SubResource("proxy").Suffix("channels", n.name, channel).
		SetHeader("Ce-Specversion", "1.0").SetHeader("Ce-Type", "order").SetHeader("Ce-Id", id).SetHeader("Ce-Source", "/e2e").
		SetHeader("Content-Type", "text/plain").Body([]byte("hello")).Do(n.t.Context())
	result.StatusCode(&status)
	if status == 0 {
		n.t.Fatalf("event %s: %v", id, result.Error())
	}
	return status
}

func TestChannelWithSubscriptions(t *testing.T) {
	t.Parallel()
	n := newNamespace(t)
	n.startSubscriber()
	n.createChannel(channelNamed("orders"))
	n.awaitChannel("orders", apis.ConditionReady, corev1.ConditionTrue)
	n.subscribe("one", "orders")
	n.subscribe("two", "orders")
	if status := n.sendToChannel("orders", "1"); status != http.StatusAccepted {
		t.Fatalf("the event is answered %d", status)
	}
	n.awaitEvents("one", 1)
	n.awaitEvents("two", 1)
	must(t, n.channels().Delete(t.Context(), "orders", metav1.DeleteOptions{}))
	n.await("the channel and its Service are gone", func() (bool, any) {
		_, err := n.channels().Get(t.Context(), "orders", metav1.GetOptions{})
		_, serviceErr := env.kube.CoreV1().Services(n.name).Get(t.Context(), "orders-kn-jsm-channel", metav1.GetOptions{})
		return apierrors.IsNotFound(err) && apierrors.IsNotFound(serviceErr), serviceErr
	})
}

// The API server asks our webhook, and hands on what it says.
func TestBadChannelsAreRefused(t *testing.T) {
	t.Parallel()
	n := newNamespace(t)
	bad := channelNamed("bad")
	bad.Spec.Stream = &v1alpha1.Stream{Config: &v1alpha1.StreamConfig{Storage: "Disk"}}
	_, err := n.channels().Create(t.Context(), bad, metav1.CreateOptions{})
	if err == nil || !strings.Contains(err.Error(), "spec.stream.config.storage") {
		t.Errorf("made with an unknown storage: %v", err)
	}
	made := n.createChannel(channelNamed("orders"))
	if made.Annotations["messaging.knative.dev/subscribable"] != "v1" {
		t.Errorf("annotations %v", made.Annotations)
	}
	for path, change := range map[string]string{
		"spec.stream.overrideName": `{"spec":{"stream":{"overrideName":"OTHER"}}}`,
		"spec.subscribers":         `{"spec":{"subscribers":[{"uid":"a","subscriberUri":"http://example.com"}]}}`,
	} {
		_, err := n.channels().Patch(t.Context(), "orders", types.MergePatchType, []byte(change), metav1.PatchOptions{})
		if err == nil || !strings.Contains(err.Error(), path) {
			t.Errorf("%s: %v", change, err)
		}
	}
}

func TestChannelThatWasNeverReadyGoes(t *testing.T) {
	t.Parallel()
	n := newNamespace(t)
	odd := channelNamed("odd")
	odd.Spec.Stream = &v1alpha1.Stream{OverrideName: "NOBODYS-" + n.name}
	n.createChannel(odd)
	n.awaitChannel("odd", v1alpha1.ConditionStream, corev1.ConditionFalse)
	must(t, n.channels().Delete(t.Context(), "odd", metav1.DeleteOptions{}))
	n.await("the channel is gone", func() (bool, any) {
		_, err := n.channels().Get(t.Context(), "odd", metav1.GetOptions{})
		return apierrors.IsNotFound(err), err
	})
}
