package compile_test

import (
	"strings"
	"testing"

	eventingv1 "knative.dev/eventing/pkg/apis/eventing/v1"
	"knative.dev/pkg/apis"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/compile"
)

// A typing error in a function's name would make the filter false for every event, with no word about it.
func TestFunctionsThatDoNotExist(t *testing.T) {
	for expression, want := range map[string]string{
		`LENGTH(type) > 0`: "",
		`KN_VERIFY_CORRELATION_ID(id, 'n', 'ns', 'request-reply-keys', 0, 1)`: "",
		`LENGHT(type) > 0 OR type = 't'`:                                      "no such function: LENGHT of 1 arguments",
		`LENGTH() = 1`:                                                        "no such function: LENGTH of 0 arguments",
	} {
		trigger := triggerOf(t, "")
		trigger.Spec.Filters = []eventingv1.SubscriptionsAPIFilter{{CESQL: expression}}
		_, err := compile.Trigger(trigger, brokerOf(t, ""), compile.Options{})
		if (err == nil) != (want == "") || (err != nil && !strings.Contains(err.Error(), want)) {
			t.Errorf("%s: error %v, want %q", expression, err, want)
		}
	}
}

func TestASubscriberHasAHost(t *testing.T) {
	for _, text := range []string{"http://:80/", "http:///path", "https://:443"} {
		trigger := triggerOf(t, "")
		trigger.Spec.Subscriber.URI, _ = apis.ParseURL(text)
		if _, err := compile.Trigger(trigger, brokerOf(t, ""), compile.Options{}); err == nil || paths(err) != "spec.subscriber.uri" {
			t.Errorf("%s: error %v", text, err)
		}
	}
}
