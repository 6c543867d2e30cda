package compile

import (
	"errors"
	"slices"
	"strings"
	"testing"

	eventingduckv1 "knative.dev/eventing/pkg/apis/duck/v1"
	eventingv1 "knative.dev/eventing/pkg/apis/eventing/v1"
	messagingv1 "knative.dev/eventing/pkg/apis/messaging/v1"
	"knative.dev/pkg/apis"
	duckv1 "knative.dev/pkg/apis/duck/v1"
)

// refusedAt returns the paths that an error names.
func refusedAt(t *testing.T, err error) []string {
	t.Helper()
	var wrong *apis.FieldError
	if !errors.As(err, &wrong) {
		t.Fatalf("error %v", err)
	}
	var paths []string
	for _, one := range wrong.WrappedErrors() {
		if !strings.Contains(one.Error(), "http or https") {
			t.Errorf("error %v", one)
		}
		paths = append(paths, one.Paths...)
	}
	slices.Sort(paths)
	return paths
}

// What can never be delivered to is refused where it is written, whatever it is for.
func TestOnlyHTTPCanBeDeliveredTo(t *testing.T) {
	for _, text := range []string{"ftp://host/x", "amqp://host", "kafka://host:9092/topic", "nats://host/s", "ws://host/", "file://host/x", "HTTPS+unix://host/"} {
		uri, err := apis.ParseURL(text)
		if err != nil {
			t.Fatal(err)
		}
		to := &duckv1.Destination{URI: uri}
		spec := &eventingduckv1.DeliverySpec{DeadLetterSink: to}
		channel := ChannelSource{Namespace: "n", Name: "c"}

		b := &eventingv1.Broker{Spec: eventingv1.BrokerSpec{Delivery: spec}}
		_, ofBroker := Broker(b, Options{})
		_, ofTrigger := Trigger(&eventingv1.Trigger{Spec: eventingv1.TriggerSpec{Subscriber: *to, Delivery: spec}}, &eventingv1.Broker{}, Options{})
		_, ofChannel := Channel(ChannelSource{Delivery: spec}, Options{})
		_, ofSubscription := Subscription(&messagingv1.Subscription{Spec: messagingv1.SubscriptionSpec{Subscriber: to, Reply: to, Delivery: spec}}, channel, Options{})
		_, ofSubscriber := ChannelSubscriber(channel, eventingduckv1.SubscriberSpec{UID: "u", SubscriberURI: uri, ReplyURI: uri, Delivery: spec}, Options{})
		for name, c := range map[string]struct {
			err  error
			want []string
		}{
			"Broker":       {ofBroker, []string{"spec.delivery.deadLetterSink.uri"}},
			"Trigger":      {ofTrigger, []string{"spec.delivery.deadLetterSink.uri", "spec.subscriber.uri"}},
			"Channel":      {ofChannel, []string{"spec.delivery.deadLetterSink.uri"}},
			"Subscription": {ofSubscription, []string{"spec.delivery.deadLetterSink.uri", "spec.reply.uri", "spec.subscriber.uri"}},
			"subscriber":   {ofSubscriber, []string{"delivery.deadLetterSink.uri", "replyUri", "subscriberUri"}},
		} {
			if got := refusedAt(t, c.err); !slices.Equal(got, c.want) {
				t.Errorf("%s: %s is refused at %q, want %q", text, name, got, c.want)
			}
		}
		// A Trigger whose Broker has such a sink does not deliver: its failures would have nowhere to go.
		target, err := Trigger(&eventingv1.Trigger{Spec: eventingv1.TriggerSpec{Subscriber: duckv1.Destination{URI: apis.HTTP("host")}}}, b, Options{})
		if err != nil || !strings.Contains(target.NotReady, "dead letter sink") || !strings.Contains(target.NotReady, "http or https") {
			t.Errorf("%s as the Broker's sink: not ready %q, error %v", text, target.NotReady, err)
		}
		// In a cluster such a subscriber is one that fails, if its failures have somewhere to go.
		dead := &eventingv1.Trigger{Spec: eventingv1.TriggerSpec{Subscriber: *to, Delivery: &eventingduckv1.DeliverySpec{
			DeadLetterSink: &duckv1.Destination{URI: apis.HTTP("sink")},
		}}}
		target, err = Trigger(dead, &eventingv1.Broker{}, Options{AnySubscriber: true})
		if err != nil || target.NotReady != "" || target.Subscriber == nil {
			t.Errorf("%s with a dead letter sink: %+v, error %v", text, target, err)
		}
		dead.Spec.Delivery = nil
		if _, err = Trigger(dead, &eventingv1.Broker{}, Options{AnySubscriber: true}); err == nil {
			t.Errorf("%s without a dead letter sink is taken", text)
		}
		// Nor is a reference a way to it.
		ref := duckv1.Destination{Ref: &duckv1.KReference{Kind: "Sink", Name: "s"}}
		target, err = Trigger(&eventingv1.Trigger{Spec: eventingv1.TriggerSpec{Subscriber: ref}}, &eventingv1.Broker{},
			Options{Resolve: func(duckv1.KReference) (string, error) { return text, nil }})
		if err != nil || !strings.Contains(target.NotReady, "http or https") {
			t.Errorf("a reference to %s: not ready %q, error %v", text, target.NotReady, err)
		}
		if _, err := NewResolver([]string{"Service/n/s=" + text}); err == nil {
			t.Errorf("--resolve takes %s", text)
		}
	}
	for _, text := range []string{"http://host:0/", "http://host:65536/", "http://host:99999999999999999999/"} {
		if _, err := parseAbsolute(text); err == nil {
			t.Errorf("%s is taken", text)
		}
	}
	for _, text := range []string{"http://host", "http://host:", "https://host:8443/a?b=c#d", "HTTP://host/", "http://[::1]:80/"} {
		if _, err := parseAbsolute(text); err != nil {
			t.Errorf("%s: %v", text, err)
		}
	}
}
