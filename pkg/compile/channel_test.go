package compile_test

import (
	"reflect"
	"strings"
	"testing"
	"time"

	eventingduckv1 "knative.dev/eventing/pkg/apis/duck/v1"
	messagingv1 "knative.dev/eventing/pkg/apis/messaging/v1"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/compile"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/config"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/delivery"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/route"
)

func sourceOf(t *testing.T, spec string) compile.ChannelSource {
	t.Helper()
	return compile.ChannelSource{
		Namespace: "ns", Name: "c", UID: "c-uid", Delivery: parse[eventingduckv1.DeliverySpec](t, "{"+spec+"}"),
	}
}

func TestChannel(t *testing.T) {
	source := sourceOf(t, "deadLetterSink: {uri: 'http://dls/', CACerts: pem}")
	source.Hosts = []string{"C-kn-jsm-channel.ns.svc"}
	source.Annotations = map[string]string{compile.HistoryAnnotation: "1h", "other": "x"}
	options := compile.Options{Owner: "me", Defaults: config.Broker{Log: route.Log{Replicas: 3}}}
	want := route.Address{
		Key: route.Key{Kind: route.KindChannel, Namespace: "ns", Name: "c"}, UID: "c-uid", Owner: "me", Hosts: []string{"c-kn-jsm-channel.ns.svc"},
		Log: route.Log{Replicas: 3, History: time.Hour}, DeadLetter: &route.Destination{URL: "http://dls/", CACerts: "pem"},
	}
	if got, err := compile.Channel(source, options); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, error %v, want %+v", got, err, want)
	}
	source.Log = &route.Log{MaxBytes: 7, Stream: "ORDERS", Subjects: []string{"orders.>"}}
	want.Log = *source.Log
	want.Log.History = time.Hour
	if got, err := compile.Channel(source, options); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("with a log of its own: got %+v, error %v, want %+v", got, err, want)
	}
	if source.Log.History != 0 {
		t.Error("the source was changed")
	}
}

func TestChannelErrors(t *testing.T) {
	source := sourceOf(t, "retry: -1, deadLetterSink: {}")
	source.Annotations = map[string]string{compile.MaxBytesAnnotation: "much", compile.AnnotationPrefix + "stream": "no annotation of a NatsJetStreamChannel"}
	source.Log = &route.Log{Stream: "no name", Subjects: []string{"a.>", "a.b"}}
	_, err := compile.Channel(source, compile.Options{})
	want := []string{
		"spec.delivery.retry", "spec.delivery.deadLetterSink.ref", "spec.delivery.deadLetterSink.uri", "spec.stream.overrideName",
		"spec.stream.config.additionalSubjects", "metadata.annotations[" + compile.MaxBytesAnnotation + "]",
		"metadata.annotations[" + compile.AnnotationPrefix + "stream]",
	}
	if got := strings.Fields(paths(err)); !sameSet(got, want) {
		t.Errorf("paths %q, want %q: %v", got, want, err)
	}
}

func TestChannelSubscriber(t *testing.T) {
	key := route.TargetKey{Address: route.Key{Kind: route.KindChannel, Namespace: "ns", Name: "c"}, Namespace: "ns", Name: "u-1"}
	base := route.Target{Key: key, UID: "u-1", MaxInFlight: route.DefaultMaxInFlight, Subscriber: &route.Destination{URL: "http://s/"}}
	with := func(change func(*route.Target)) route.Target {
		target := base
		change(&target)
		return target
	}
	for _, tt := range []struct {
		name, channel, subscriber string
		want                      route.Target
	}{
		{"subscriber alone", ``, `subscriberUri: 'http://s/'`, base},
		{"everything", ``, `name: sub, subscriberUri: 'https://s/', subscriberCACerts: pem, subscriberAudience: me, replyUri: 'https://r/',
			replyCACerts: other, replyAudience: you, delivery: {retry: 2, deadLetterSink: {uri: 'http://d/'}}`,
			with(func(target *route.Target) {
				target.Name, target.Delivery.Retry = "sub", 2
				target.Subscriber = &route.Destination{URL: "https://s/", CACerts: "pem", Audience: "me"}
				target.Reply = &route.Destination{URL: "https://r/", CACerts: "other", Audience: "you"}
				target.DeadLetter = &route.Destination{URL: "http://d/"}
			})},
		{"reply alone", ``, `replyUri: 'http://r/'`, with(func(target *route.Target) {
			target.Subscriber, target.Reply = nil, &route.Destination{URL: "http://r/"}
		})},
		{"nothing to send to", ``, ``, with(func(target *route.Target) {
			target.Subscriber, target.NotReady = nil, "it has neither a subscriber nor a reply"
		})},
		{"the Channel's delivery", `retry: 3, deadLetterSink: {uri: 'http://c/'}`, `subscriberUri: 'http://s/'`, with(func(target *route.Target) {
			target.Delivery.Retry, target.DeadLetter = 3, &route.Destination{URL: "http://c/"}
		})},
		{"the Channel's sink and format, its own retries", `retry: 3, format: json, deadLetterSink: {uri: 'http://c/'}`,
			`subscriberUri: 'http://s/', delivery: {retry: 1}`, with(func(target *route.Target) {
				target.Delivery = delivery.Policy{Retry: 1, Format: delivery.JSONFormat}
				target.DeadLetter = &route.Destination{URL: "http://c/"}
			})},
		{"its own format", `format: json`, `subscriberUri: 'http://s/', delivery: {format: binary}`, with(func(target *route.Target) {
			target.Delivery.Format = delivery.BinaryFormat
		})},
		{"a sink that is nowhere", ``, `subscriberUri: 'http://s/', delivery: {deadLetterSink: {ref: {kind: Service, name: x, apiVersion: v1}}}`,
			with(func(target *route.Target) {
				target.NotReady = "dead letter sink ref Service ns/x is not resolved: there is nothing that resolves references"
			})},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := parse[eventingduckv1.SubscriberSpec](t, "{uid: u-1, "+tt.subscriber+"}")
			got, err := compile.ChannelSubscriber(sourceOf(t, tt.channel), *s, compile.Options{})
			if err != nil || !reflect.DeepEqual(got, tt.want) {
				t.Errorf("got %+v, error %v, want %+v", got, err, tt.want)
			}
		})
	}
}

func TestChannelSubscriberErrors(t *testing.T) {
	s := parse[eventingduckv1.SubscriberSpec](t, "{subscriberUri: '/relative', replyUri: 'http://me:secret@r/', delivery: {retry: -1, deadLetterSink: {uri: /x}}}")
	_, err := compile.ChannelSubscriber(sourceOf(t, ""), *s, compile.Options{})
	want := []string{"uid", "subscriberUri", "replyUri", "delivery.retry", "delivery.deadLetterSink.uri"}
	if got := strings.Fields(paths(err)); !sameSet(got, want) || strings.Contains(err.Error(), "secret") {
		t.Errorf("paths %q, want %q: %v", got, want, err)
	}
}

// What all subscribers of a Channel take from it.
func TestSubscribersOfAnAdoptedStream(t *testing.T) {
	source := sourceOf(t, "")
	source.MaxInFlight, source.Start = 7, route.Start{Policy: route.StartAll}
	source.Log = &route.Log{Stream: "ORDERS", Subjects: []string{"orders.>"}}
	s := parse[eventingduckv1.SubscriberSpec](t, "{uid: u-1, subscriberUri: 'http://s/'}")
	got, err := compile.ChannelSubscriber(source, *s, compile.Options{Owner: "me", Defaults: config.Broker{MaxInFlight: 9}})
	if err != nil || got.Stream != "ORDERS" || !reflect.DeepEqual(got.Subjects, source.Log.Subjects) || got.MaxInFlight != 7 ||
		got.Start != source.Start || got.Owner != "me" {
		t.Errorf("got %+v, error %v", got, err)
	}
	source.MaxInFlight, source.Log.Stream = 0, ""
	got, err = compile.ChannelSubscriber(source, *s, compile.Options{Defaults: config.Broker{MaxInFlight: 9}})
	if err != nil || got.Stream != "" || got.Subjects != nil || got.MaxInFlight != 9 {
		t.Errorf("of a log of its own: got %+v, error %v", got, err)
	}
}

func TestSubscription(t *testing.T) {
	s := parse[messagingv1.Subscription](t, `
metadata: {name: s, namespace: ns, annotations: {jetstream.eventing.knative.dev/start: last, jetstream.eventing.knative.dev/max-in-flight: "5"}}
spec:
  channel: {kind: Channel, name: c, apiVersion: messaging.knative.dev/v1}
  subscriber: {ref: {kind: Service, name: s, apiVersion: v1}, uri: path}
  reply: {ref: {kind: Service, name: r, apiVersion: v1, namespace: other}}
  delivery: {format: json}
`)
	options := compile.Options{Resolve: resolver(t, "Service/ns/s=http://s/", "Service/other/r=http://r/")}
	want := route.Target{
		Key:        route.TargetKey{Address: compile.ChannelKey("ns", "c"), Namespace: "ns", Name: "s"},
		Subscriber: &route.Destination{URL: "http://s/path"}, Reply: &route.Destination{URL: "http://r/"}, MaxInFlight: 5,
		Start: route.Start{Policy: route.StartLast}, Delivery: delivery.Policy{Format: delivery.JSONFormat},
		DeadLetter: &route.Destination{URL: "http://c/"},
	}
	source := sourceOf(t, "retry: 3, deadLetterSink: {uri: 'http://c/'}")
	if got, err := compile.Subscription(s, source, options); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, error %v, want %+v", got, err, want)
	}
	got, err := compile.Subscription(s, source, compile.Options{})
	if err != nil || !strings.HasPrefix(got.NotReady, "subscriber ref Service ns/s is not resolved") || !strings.Contains(got.NotReady, "; reply ref Service other/r") {
		t.Errorf("without a resolver: %q, error %v", got.NotReady, err)
	}
}

// In a cluster no annotation of a Subscription can be seen: there its Channel pauses it.
func TestAChannelPausesItsSubscribers(t *testing.T) {
	const own = `
metadata: {name: s, namespace: ns, annotations: {jetstream.eventing.knative.dev/paused: moving}}
spec: {channel: {kind: Channel, name: c, apiVersion: messaging.knative.dev/v1}, subscriber: {uri: 'http://s/'}}
`
	source := sourceOf(t, "")
	if got, err := compile.Subscription(parse[messagingv1.Subscription](t, own), source, compile.Options{}); err != nil || got.Paused != "moving" {
		t.Errorf("a Subscription: paused %q, error %v", got.Paused, err)
	}
	source.Paused = "an audit"
	s := parse[eventingduckv1.SubscriberSpec](t, "{uid: u-1, subscriberUri: 'http://s/'}")
	if got, err := compile.ChannelSubscriber(source, *s, compile.Options{}); err != nil || got.Paused != "its Channel is paused: an audit" {
		t.Errorf("a subscriber: paused %q, error %v", got.Paused, err)
	}
	channel := parse[messagingv1.Channel](t, "metadata: {name: c, namespace: ns, annotations: {jetstream.eventing.knative.dev/paused: an audit}}")
	if got, _, err := compile.StandaloneChannel(channel, compile.Options{}); err != nil || got.Paused != "an audit" {
		t.Errorf("a Channel of a file: paused %q, error %v", got.Paused, err)
	}
}

func TestStandaloneChannel(t *testing.T) {
	parseChannel := func(template, annotations string) *messagingv1.Channel {
		return parse[messagingv1.Channel](t, "metadata: {name: c, namespace: ns, annotations: {"+annotations+"}}\nspec: {"+template+"}")
	}
	const ours = `channelTemplate: {apiVersion: messaging.knative.dev/v1alpha1, kind: NatsJetStreamChannel}`
	source, mine, err := compile.StandaloneChannel(parseChannel(ours+", delivery: {retry: 3}",
		`jetstream.eventing.knative.dev/stream: ORDERS, jetstream.eventing.knative.dev/subjects: "a.>, b", jetstream.eventing.knative.dev/start: all,
		jetstream.eventing.knative.dev/max-bytes: 1Ki, jetstream.eventing.knative.dev/dead-letter-max-bytes: 2Ki,
		jetstream.eventing.knative.dev/dead-letter-max-age: P1D`), compile.Options{})
	want := route.Log{Stream: "ORDERS", Subjects: []string{"a.>", "b"}, MaxBytes: 1024, DeadLetterMaxBytes: 2048, DeadLetterMaxAge: 24 * time.Hour}
	if err != nil || !mine || !reflect.DeepEqual(*source.Log, want) || source.Start.Policy != route.StartAll || *source.Delivery.Retry != 3 {
		t.Errorf("got %+v with %+v, ours %t, error %v", source, source.Log, mine, err)
	}
	if len(source.Hosts) != 1 || source.Hosts[0] != "c-kn-jsm-channel.ns.svc.cluster.local" {
		t.Errorf("hosts %q", source.Hosts)
	}
	if _, mine, err := compile.StandaloneChannel(parseChannel("", ""), compile.Options{}); !mine || err != nil {
		t.Errorf("without a template: ours %t, error %v", mine, err)
	}
	if _, mine, err := compile.StandaloneChannel(parseChannel("channelTemplate: {apiVersion: messaging.knative.dev/v1, kind: InMemoryChannel}", ""),
		compile.Options{}); mine || err != nil {
		t.Errorf("of another kind: ours %t, error %v", mine, err)
	}
	for annotations, want := range map[string]string{
		`jetstream.eventing.knative.dev/stream: "a b"`:            "stream",
		`jetstream.eventing.knative.dev/subjects: "a.>,>"`:        "subjects",
		`jetstream.eventing.knative.dev/start: soon`:              "start",
		`jetstream.eventing.knative.dev/max-in-flight: "1"`:       "max-in-flight",
		`jetstream.eventing.knative.dev/dead-letter-max-age: 1s`:  "dead-letter-max-age",
		`jetstream.eventing.knative.dev/subjects: "$JS.API.>, a"`: "subjects",
	} {
		_, _, err := compile.StandaloneChannel(parseChannel(ours, annotations), compile.Options{})
		if got := paths(err); got != "metadata.annotations[jetstream.eventing.knative.dev/"+want+"]" {
			t.Errorf("%s: path %q (%v)", annotations, got, err)
		}
	}
	_, _, err = compile.StandaloneChannel(parseChannel(strings.Replace(ours, "}", ", spec: {stream: {}}}", 1), ""), compile.Options{})
	if got := paths(err); got != "spec.channelTemplate.spec" {
		t.Errorf("a template with a spec: path %q (%v)", got, err)
	}
}
