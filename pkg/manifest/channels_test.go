package manifest_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/compile"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/manifest"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/route"
)

const channel = `apiVersion: messaging.knative.dev/v1
kind: Channel
metadata:
  name: orders
`

const subscription = `apiVersion: messaging.knative.dev/v1
kind: Subscription
metadata:
  name: s
spec:
  channel:
    apiVersion: messaging.knative.dev/v1
    kind: Channel
    name: orders
  subscriber:
    uri: http://127.0.0.1:8080/
`

func TestLoadChannels(t *testing.T) {
	resources := mustLoad(t, map[string]string{"a.yaml": subscription, "b.yaml": channel})
	desired := resources.Desired()
	if len(desired.Addresses) != 1 || len(desired.Targets) != 1 || len(desired.Notes) != 0 || len(resources.Ignored) != 0 {
		t.Fatalf("addresses %v, targets %v, notes %q, ignored %q", desired.Addresses, desired.Targets, desired.Notes, resources.Ignored)
	}
	if got := desired.Targets[0].Key.String(); got != "subscriber default/s of channel default/orders" {
		t.Errorf("target %s", got)
	}
	if got := desired.Addresses[0]; got.Key != compile.ChannelKey("default", "orders") || desired.Targets[0].Delivery.Retry != 0 {
		t.Errorf("address %+v; a Channel has no delivery that nobody asked for", got)
	}
}

// References among the files find the ingress; all others are for --resolve.
func TestReferencesAmongTheFiles(t *testing.T) {
	reply := func(kind, name string) string {
		return subscription + "  reply:\n    ref: {apiVersion: messaging.knative.dev/v1, kind: " + kind + ", name: " + name + "}\n"
	}
	resolve, err := compile.NewResolver([]string{"Channel/default/far=http://far/", "Broker/default/default=http://other/"})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, kind, to, ingress string
		want                    string // the URL, or what the target is not ready for
	}{
		{"a Channel", "Channel", "orders", "http://in", "http://in/channels/default/orders"},
		{"a Channel by what core makes of it", "NatsJetStreamChannel", "orders", "http://in", "http://in/channels/default/orders"},
		{"a Broker", "Broker", "default", "http://in", "http://in/default/default"},
		{"another Channel", "Channel", "far", "http://in", "http://far/"},
		{"an unknown one", "Channel", "nowhere", "http://in", "--resolve Channel/default/nowhere=URL"},
		{"something of another kind", "Service", "orders", "http://in", "--resolve Service/default/orders=URL"},
		{"a Channel, and no ingress", "Channel", "orders", "", "--ingress-url"},
		{"a Broker that is resolved, and no ingress", "Broker", "default", "", "http://other/"},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := write(t, map[string]string{"a.yaml": channel + "---\n" + reply(c.kind, c.to) + "---\n" + broker})
			resources, err := manifest.Load([]string{dir}, manifest.LoadOptions{Resolve: resolve, IngressURL: c.ingress})
			if err != nil {
				t.Fatal(err)
			}
			target := resources.Desired().Targets[0]
			got := target.NotReady
			if target.Reply != nil {
				got = target.Reply.URL
			}
			if got != c.want && !(target.Reply == nil && strings.Contains(got, c.want)) {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

func TestWhatOfChannelsIsLeftOut(t *testing.T) {
	const inMemory = "spec:\n  channelTemplate: {apiVersion: messaging.knative.dev/v1, kind: InMemoryChannel}\n"
	for name, c := range map[string]struct{ file, ignored string }{
		"a Subscription without its Channel": {subscription, "Subscription default/s: Channel orders not found: ignored"},
		"a Channel of another type": {channel + inMemory + "---\n" + subscription,
			"Channel default/orders is a InMemoryChannel, not a NatsJetStreamChannel: ignored; Subscription default/s: Channel orders is a InMemoryChannel: ignored"},
		"a Subscription to something else": {channel + "---\n" + strings.Replace(subscription, "    kind: Channel", "    kind: KafkaChannel", 1),
			"Subscription default/s: its channel is a KafkaChannel: ignored"},
	} {
		t.Run(name, func(t *testing.T) {
			resources := mustLoad(t, map[string]string{"a.yaml": c.file})
			var ignored []string
			for _, line := range resources.Ignored {
				_, text, _ := strings.Cut(line, ": ")
				ignored = append(ignored, text)
			}
			if got := strings.Join(ignored, "; "); got != c.ignored {
				t.Errorf("ignored %q, want %q", got, c.ignored)
			}
			if slices.ContainsFunc(resources.Desired().Targets, func(target route.Target) bool { return target.Key.Name == "s" }) {
				t.Error("its target is there all the same")
			}
		})
	}
}

func TestReplyOnlySubscription(t *testing.T) {
	file := channel + "---\n" + strings.Replace(subscription, "  subscriber:", "  reply:", 1)
	target := mustLoad(t, map[string]string{"a.yaml": file}).Desired().Targets[0]
	if target.Subscriber != nil || target.Reply == nil || target.NotReady != "" {
		t.Errorf("%+v", target)
	}
}

func TestErrorsOfChannels(t *testing.T) {
	for _, c := range []struct{ name, file, want string }{
		{"unknown field of a Channel", channel + "spec:\n  delivry: {}\n", "a.yaml:6: spec: unknown field \"delivry\": known here are channelTemplate, delivery, subscribers"},
		{"subscribers of a Channel", channel + "spec:\n  subscribers: [{uid: a}]\n", "a.yaml:5: spec.subscribable.subscribers: must not set the field(s)"},
		{"retries of a Channel", channel + "spec:\n  delivery:\n    retry: -1\n", "a.yaml:7: spec.delivery.retry: invalid value: -1"},
		{"annotation of a Channel", strings.Replace(channel, "metadata:\n", "metadata:\n  annotations:\n    jetstream.eventing.knative.dev/subjects: kn..x\n", 1),
			"a.yaml:5: metadata.annotations[jetstream.eventing.knative.dev/subjects]: subject cannot be used"},
		{"Channel twice", channel + "---\n" + channel, "Channel default/orders is defined twice"},
		{"Subscription without a channel", strings.Replace(subscription, "    name: orders\n", "", 1), "spec.channel.name: missing field(s)"},
		{"Subscription to another namespace", strings.Replace(subscription, "    name: orders\n", "    name: orders\n    namespace: other\n", 1),
			"a.yaml:10: spec.channel.namespace: must not set the field(s)"},
		{"Subscription without anything", strings.Split(subscription, "  subscriber:")[0], "spec.subscriber: missing field(s)"},
		{"Subscription with half a reply", subscription + "  reply:\n    uri: /x\n", "spec.reply"},
		{"start of a Subscription", strings.Replace(subscription, "metadata:\n", "metadata:\n  annotations:\n    jetstream.eventing.knative.dev/start: soon\n", 1),
			"a.yaml:5: metadata.annotations[jetstream.eventing.knative.dev/start]: invalid value: soon (must be new, all, last,"},
		{"an old version", strings.Replace(channel, "dev/v1", "dev/v1beta1", 1), `unknown apiVersion "messaging.knative.dev/v1beta1" of a Channel: want messaging.knative.dev/v1`},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := manifest.Load([]string{write(t, map[string]string{"a.yaml": c.file})}, manifest.LoadOptions{})
			var file *manifest.FileError
			if !errors.As(err, &file) || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want %s", err, c.want)
			}
		})
	}
}

func TestLoadExampleOfChannels(t *testing.T) {
	resources, err := manifest.Load([]string{"../../examples/channels"}, manifest.LoadOptions{IngressURL: "http://127.0.0.1:8080"})
	if err != nil {
		t.Fatal(err)
	}
	desired := resources.Desired()
	if len(desired.Addresses) != 3 || len(desired.Targets) != 4 || len(desired.Notes) != 0 || len(resources.Ignored) != 0 {
		t.Fatalf("addresses %v, targets %v, notes %q, ignored %q", desired.Addresses, desired.Targets, desired.Notes, resources.Ignored)
	}
	if through := desired.Targets[2]; through.Subscriber != nil || through.Reply.URL != "http://127.0.0.1:8080/channels/default/archive" {
		t.Errorf("target %+v", through)
	}
}
