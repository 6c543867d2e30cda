package compile_test

import (
	"testing"

	eventingduckv1 "knative.dev/eventing/pkg/apis/duck/v1"
	messagingv1 "knative.dev/eventing/pkg/apis/messaging/v1"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/compile"
)

// A target says itself whether its dead letters are copied, else its Broker or Channel does.
func TestDeadLetterCopy(t *testing.T) {
	const annotation = compile.DeadLetterCopyAnnotation
	annotated := func(value string) map[string]string {
		if value == "" {
			return nil
		}
		return map[string]string{annotation: value}
	}
	for _, tt := range []struct {
		name, own, address string
		want, wantError    bool
	}{
		{"nobody", "", "", false, false},
		{"its own", "true", "", true, false},
		{"that of the address", "", "true", true, false},
		{"its own goes before", "false", "true", false, false},
		{"no value", " ", "", false, true},
		{"another spelling", "True", "", false, true},
		{"an address's that is wrong, which its own condition says", "", "yes", false, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			trigger, broker := triggerOf(t, ""), brokerOf(t, "")
			trigger.Annotations, broker.Annotations = annotated(tt.own), annotated(tt.address)
			got, err := compile.Trigger(trigger, broker, compile.Options{})
			if (err != nil) != tt.wantError || err != nil && paths(err) != "metadata.annotations["+annotation+"]" {
				t.Errorf("a Trigger: error %v", err)
			}
			if got.DeadLetterCopy != tt.want {
				t.Errorf("a Trigger: %t, want %t", got.DeadLetterCopy, tt.want)
			}
			channel := parse[messagingv1.Channel](t, "metadata: {name: c, namespace: ns}")
			channel.Annotations = annotated(tt.address)
			source, _, err := compile.StandaloneChannel(channel, compile.Options{})
			if (err != nil) != (tt.address == "yes") {
				t.Fatalf("a Channel: error %v", err)
			}
			if err != nil {
				return
			}
			s := parse[messagingv1.Subscription](t, "metadata: {name: s, namespace: ns}\nspec: {channel: {kind: Channel, name: c, apiVersion: messaging.knative.dev/v1}, subscriber: {uri: 'http://s/'}}")
			s.Annotations = annotated(tt.own)
			got, err = compile.Subscription(s, source, compile.Options{})
			if (err != nil) != tt.wantError || got.DeadLetterCopy != tt.want {
				t.Errorf("a Subscription: %t, error %v", got.DeadLetterCopy, err)
			}
		})
	}
}

// In a cluster no annotation of a Subscription can be seen: there its Channel asks for copies.
func TestAChannelAsksForCopies(t *testing.T) {
	source := sourceOf(t, "")
	source.DeadLetterCopy = true
	source.Annotations = map[string]string{compile.DeadLetterCopyAnnotation: "true"}
	s := parse[eventingduckv1.SubscriberSpec](t, "{uid: u-1, subscriberUri: 'http://s/'}")
	if got, err := compile.ChannelSubscriber(source, *s, compile.Options{}); err != nil || !got.DeadLetterCopy {
		t.Errorf("a subscriber: %t, error %v", got.DeadLetterCopy, err)
	}
	if _, err := compile.Channel(source, compile.Options{}); err != nil {
		t.Errorf("the Channel: error %v", err)
	}
	source.Annotations[compile.DeadLetterCopyAnnotation] = "maybe"
	if _, err := compile.Channel(source, compile.Options{}); err == nil || paths(err) != "metadata.annotations["+compile.DeadLetterCopyAnnotation+"]" {
		t.Errorf("the Channel: error %v, want one that names the annotation", err)
	}
}
