package compile_test

import (
	"strings"
	"testing"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/compile"
)

func TestPaused(t *testing.T) {
	tests := []struct {
		name, trigger, broker string
		want                  string
		wantError             bool
	}{
		{"nobody", "", "", "", false},
		{"the Trigger", "the shop moves", "", "the shop moves", false},
		{"its Broker", "", "an audit", "its Broker is paused: an audit", false},
		{"both", "the shop moves", "an audit", "the shop moves", false},
		{"without a reason", " ", "", "", true},
		{"false, which would pause", "false", "", "", true},
		{"a reason that is too long", strings.Repeat("x", 257), "", "", true},
		{"a Broker's that is wrong, which its own condition says", "", "false", "", false},
	}
	annotated := func(why string) map[string]string {
		if why == "" {
			return nil
		}
		return map[string]string{compile.PausedAnnotation: why}
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			trigger, broker := triggerOf(t, ""), brokerOf(t, "")
			trigger.Annotations, broker.Annotations = annotated(tt.trigger), annotated(tt.broker)
			got, err := compile.Trigger(trigger, broker, compile.Options{})
			if (err != nil) != tt.wantError || (err != nil && paths(err) != "metadata.annotations["+compile.PausedAnnotation+"]") {
				t.Errorf("error: %v", err)
			}
			if got.Paused != tt.want || got.NotReady != "" {
				t.Errorf("paused %q, want %q; not ready %q", got.Paused, tt.want, got.NotReady)
			}
		})
	}
	broker := brokerOf(t, "")
	broker.Annotations = annotated("an audit")
	if a, err := compile.Broker(broker, compile.Options{}); err != nil || a.Paused != "an audit" || a.Refuse != "" {
		t.Errorf("a Broker that is paused takes events, and says that it is paused: %+v, %v", a, err)
	}
	if a, err := compile.Channel(compile.ChannelSource{Namespace: "ns", Name: "c", Paused: "an audit"}, compile.Options{}); err != nil || a.Paused != "an audit" {
		t.Errorf("so does a Channel: %+v, %v", a, err)
	}
	broker.Annotations = annotated("false")
	if _, err := compile.Broker(broker, compile.Options{}); err == nil {
		t.Error("a Broker's annotation without a reason is no error")
	}
}
