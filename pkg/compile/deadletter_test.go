package compile_test

import (
	"reflect"
	"testing"
	"time"

	eventingduckv1 "knative.dev/eventing/pkg/apis/duck/v1"
	messagingv1 "knative.dev/eventing/pkg/apis/messaging/v1"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/compile"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/route"
)

func TestDeadLetterAnnotations(t *testing.T) {
	for _, tt := range []struct {
		annotation, value string
		want              route.Log
		wantError         bool
	}{
		{compile.DeadLetterMaxBytesAnnotation, "8Mi", route.Log{DeadLetterMaxBytes: 8 << 20}, false},
		{compile.DeadLetterMaxBytesAnnotation, "0", route.Log{}, true},
		{compile.DeadLetterMaxBytesAnnotation, "a quarter", route.Log{}, true},
		{compile.DeadLetterWhenFullAnnotation, "discard-oldest", route.Log{DiscardOldLetters: true}, false},
		{compile.DeadLetterWhenFullAnnotation, "hold", route.Log{}, false},
		{compile.DeadLetterWhenFullAnnotation, "true", route.Log{}, true},
		{compile.DeadLetterMaxAgeAnnotation, "P7D", route.Log{DeadLetterMaxAge: 7 * 24 * time.Hour}, false},
		{compile.DeadLetterMaxAgeAnnotation, "1m", route.Log{DeadLetterMaxAge: time.Minute}, false},
		{compile.DeadLetterMaxAgeAnnotation, "0s", route.Log{}, false},
		{compile.DeadLetterMaxAgeAnnotation, "59s", route.Log{}, true},
		{compile.DeadLetterMaxAgeAnnotation, "-1h", route.Log{}, true},
		{compile.DeadLetterMaxAgeAnnotation, "a week", route.Log{}, true},
	} {
		t.Run(tt.annotation+"="+tt.value, func(t *testing.T) {
			b := brokerOf(t, "")
			b.Annotations = map[string]string{tt.annotation: tt.value}
			got, err := compile.Broker(b, compile.Options{})
			if (err != nil) != tt.wantError || err != nil && paths(err) != "metadata.annotations["+tt.annotation+"]" {
				t.Errorf("error: %v", err)
			}
			if !reflect.DeepEqual(got.Log, tt.want) {
				t.Errorf("got %+v", got.Log)
			}
		})
	}
}

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
