package compile_test

import (
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"

	eventingduckv1 "knative.dev/eventing/pkg/apis/duck/v1"
	eventingv1 "knative.dev/eventing/pkg/apis/eventing/v1"
	"knative.dev/pkg/apis"
	"sigs.k8s.io/yaml"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/compile"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/delivery"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/filter"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/route"
)

func parse[T any](t *testing.T, text string) *T {
	t.Helper()
	out := new(T)
	if err := yaml.UnmarshalStrict([]byte(text), out); err != nil {
		t.Fatal(err)
	}
	return out
}

func brokerOf(t *testing.T, spec string) *eventingv1.Broker {
	t.Helper()
	return parse[eventingv1.Broker](t, "metadata: {name: b, namespace: ns, uid: b-uid}\nspec: {"+spec+"}\n")
}

func triggerOf(t *testing.T, spec string) *eventingv1.Trigger {
	t.Helper()
	if !strings.Contains(spec, "subscriber") {
		spec = strings.TrimPrefix(spec+", subscriber: {uri: 'http://s/'}", ", ")
	}
	return parse[eventingv1.Trigger](t, "metadata: {name: t, namespace: ns, uid: t-uid}\nspec: {broker: b, "+spec+"}\n")
}

func resolver(t *testing.T, entries ...string) compile.Resolver {
	t.Helper()
	resolve, err := compile.NewResolver(entries)
	if err != nil {
		t.Fatal(err)
	}
	return resolve
}

// paths are the fields that an error names.
func paths(err error) string {
	var wrong *apis.FieldError
	if !errors.As(err, &wrong) {
		return ""
	}
	var all []string
	for _, one := range wrong.WrappedErrors() {
		all = append(all, one.Paths...)
	}
	return strings.Join(all, " ")
}

func TestPolicy(t *testing.T) {
	minute := time.Minute
	zero := time.Duration(0)
	tests := []struct {
		name, spec string
		want       delivery.Policy
		wantPaths  string
	}{
		{"nothing", ``, delivery.Policy{}, ""},
		{"retry alone", `retry: 3`, delivery.Policy{Retry: 3}, ""},
		{"no retry", `retry: 0`, delivery.Policy{}, ""},
		{"a delay of milliseconds", `backoffDelay: PT0.05S`, delivery.Policy{Delay: 50 * time.Millisecond}, ""},
		{"a delay with two decimals", `backoffDelay: "PT1M0,25S"`, delivery.Policy{Delay: time.Minute + 250*time.Millisecond}, ""},
		{"a timeout of a millisecond", `timeout: PT0.001S`, delivery.Policy{Timeout: time.Millisecond}, ""},
		{"policy alone", `backoffPolicy: linear`, delivery.Policy{Backoff: delivery.LinearBackoff}, ""},
		{"delay alone", `backoffDelay: PT0.2S`, delivery.Policy{Delay: 200 * time.Millisecond}, ""},
		{"timeout alone", `timeout: PT1M`, delivery.Policy{Timeout: time.Minute}, ""},
		{"a day", `timeout: P1D`, delivery.Policy{Timeout: 24 * time.Hour}, ""},
		{"retryAfterMax alone", `retryAfterMax: PT60S`, delivery.Policy{RetryAfterMax: &minute}, ""},
		{"retryAfterMax of zero opts out", `retryAfterMax: PT0S`, delivery.Policy{RetryAfterMax: &zero}, ""},
		{"format alone", `format: json`, delivery.Policy{Format: delivery.JSONFormat}, ""},
		{"all at once", `retry: 2, backoffPolicy: exponential, backoffDelay: PT1S, timeout: PT5S, format: binary`, delivery.Policy{
			Retry: 2, Backoff: delivery.ExponentialBackoff, Delay: time.Second, Timeout: 5 * time.Second, Format: delivery.BinaryFormat}, ""},
		{"every field wrong", `retry: -1, backoffPolicy: x, backoffDelay: 1s, timeout: PT0S, retryAfterMax: -PT1S, format: x`,
			delivery.Policy{}, "retry format retryAfterMax backoffDelay timeout backoffPolicy"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := compile.Policy(parse[eventingduckv1.DeliverySpec](t, "{"+tt.spec+"}"))
			want, gotPaths := strings.Fields(tt.wantPaths), strings.Fields(paths(err))
			if !sameSet(want, gotPaths) {
				t.Errorf("paths %q, want %q (%v)", gotPaths, want, err)
			}
			if !reflect.DeepEqual(got, tt.want) {
				t.Errorf("got %+v, want %+v", got, tt.want)
			}
		})
	}
	if got, err := compile.Policy(nil); err != nil || !reflect.DeepEqual(got, delivery.Policy{}) {
		t.Errorf("nil spec: %+v, %v", got, err)
	}
}

func sameSet(a, b []string) bool {
	count := map[string]int{}
	for _, s := range a {
		count[s]++
	}
	for _, s := range b {
		count[s]--
	}
	for _, n := range count {
		if n != 0 {
			return false
		}
	}
	return true
}

func TestTriggerDelivery(t *testing.T) {
	const brokerSink = `deadLetterSink: {uri: 'http://broker-dls/'}`
	const ownSink = `deadLetterSink: {uri: 'http://own-dls/', CACerts: ca, audience: aud}`
	tests := []struct {
		name, broker, trigger string
		want                  delivery.Policy
		wantSink              *route.Destination
	}{
		{"neither", ``, ``, delivery.Policy{}, nil},
		{"the Broker's", `delivery: {retry: 5, ` + brokerSink + `}`, ``,
			delivery.Policy{Retry: 5}, &route.Destination{URL: "http://broker-dls/"}},
		{"the Trigger's replaces all of the Broker's but the sink", `delivery: {retry: 5, timeout: PT1S, ` + brokerSink + `}`, `delivery: {backoffDelay: PT1S}`,
			delivery.Policy{Delay: time.Second}, &route.Destination{URL: "http://broker-dls/"}},
		{"an empty one replaces too", `delivery: {retry: 5}`, `delivery: {}`, delivery.Policy{}, nil},
		{"the Trigger's own sink", `delivery: {retry: 5, ` + brokerSink + `}`, `delivery: {` + ownSink + `}`,
			delivery.Policy{}, &route.Destination{URL: "http://own-dls/", CACerts: "ca", Audience: "aud"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := compile.Trigger(triggerOf(t, tt.trigger), brokerOf(t, tt.broker), compile.Options{})
			if err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(got.Delivery, tt.want) || !reflect.DeepEqual(got.DeadLetter, tt.wantSink) {
				t.Errorf("got %+v, sink %+v", got.Delivery, got.DeadLetter)
			}
		})
	}
}

func TestSubscriber(t *testing.T) {
	const ref = `ref: {apiVersion: v1, kind: Service, name: x}`
	tests := []struct {
		name, subscriber string
		resolve          []string
		want             *route.Destination
		wantNotReady     string
		wantPaths        string
	}{
		{"uri", `uri: 'https://s/a?b=c', CACerts: ca, audience: aud`, nil,
			&route.Destination{URL: "https://s/a?b=c", CACerts: "ca", Audience: "aud"}, "", ""},
		{"a scheme that cannot be delivered to", `uri: 'ftp://s/'`, nil, nil, "", "spec.subscriber.uri"},
		{"relative uri", `uri: '/a'`, nil, nil, "", "spec.subscriber.uri"},
		{"uri without host", `uri: 'mailto:a@b'`, nil, nil, "", "spec.subscriber.uri"},
		{"uri with a password", `uri: 'http://a:b@s/'`, nil, nil, "", "spec.subscriber.uri"},
		{"nothing", ``, nil, nil, "", "spec.subscriber.ref spec.subscriber.uri"},
		{"ref", ref + `, CACerts: ca`, []string{"Service/ns/x=http://x.ns/base/"}, &route.Destination{URL: "http://x.ns/base/", CACerts: "ca"}, "", ""},
		{"the kind in another case", ref, []string{"service/ns/x=http://x.ns/"}, &route.Destination{URL: "http://x.ns/"}, "", ""},
		{"ref and a relative uri", ref + `, uri: 'a/b'`, []string{"Service/ns/x=http://x.ns/base/c"}, &route.Destination{URL: "http://x.ns/base/a/b"}, "", ""},
		{"ref and a rooted uri", ref + `, uri: '/a'`, []string{"Service/ns/x=http://x.ns/base/c"}, &route.Destination{URL: "http://x.ns/a"}, "", ""},
		{"ref and an absolute uri", ref + `, uri: 'http://a/'`, []string{"Service/ns/x=http://x.ns/"}, nil, "", "spec.subscriber.uri"},
		{"unresolved ref", ref, []string{"Service/other/x=http://x/"}, nil,
			"subscriber ref Service ns/x is not resolved: give its URL with --resolve Service/ns/x=URL", ""},
		{"ref into another namespace", `ref: {apiVersion: v1, kind: Service, name: x, namespace: other}`, []string{"Service/other/x=http://x/"},
			&route.Destination{URL: "http://x/"}, "", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			trigger := triggerOf(t, "subscriber: {"+tt.subscriber+"}")
			got, err := compile.Trigger(trigger, brokerOf(t, ""), compile.Options{Resolve: resolver(t, tt.resolve...)})
			if !sameSet(strings.Fields(paths(err)), strings.Fields(tt.wantPaths)) {
				t.Fatalf("error: %v", err)
			}
			if !reflect.DeepEqual(got.Subscriber, tt.want) || got.NotReady != tt.wantNotReady {
				t.Errorf("got %+v, not ready %q", got.Subscriber, got.NotReady)
			}
			if err != nil && strings.Contains(err.Error(), "a:b@") {
				t.Errorf("the error shows the password: %v", err)
			}
		})
	}
}

func TestUnresolvedDeadLetterSink(t *testing.T) {
	b := brokerOf(t, `delivery: {deadLetterSink: {ref: {apiVersion: v1, kind: Service, name: dls}}}`)
	const want = "dead letter sink ref Service ns/dls is not resolved: there is nothing that resolves references"
	address, err := compile.Broker(b, compile.Options{})
	if err != nil || address.DeadLetter != nil || !reflect.DeepEqual(address.Notes, []string{want}) {
		t.Errorf("address: %+v, %v", address, err)
	}
	target, err := compile.Trigger(triggerOf(t, ""), b, compile.Options{})
	if err != nil || target.NotReady != want || target.Subscriber == nil {
		t.Errorf("target: %+v, %v", target, err)
	}
	target, err = compile.Trigger(triggerOf(t, "subscriber: {ref: {apiVersion: v1, kind: Service, name: x}}"), b, compile.Options{})
	if err != nil || !strings.Contains(target.NotReady, "subscriber ref Service ns/x") || !strings.Contains(target.NotReady, want) {
		t.Errorf("a subscriber that is not resolved either: %q, %v", target.NotReady, err)
	}
}

func TestNewResolverErrors(t *testing.T) {
	for _, entry := range []string{"", "a=http://b/", "Service/x=http://b/", "Service/ns/x", "Service/ns/x=", "Service/ns/x=/a", "Service//x=http://b/", "a/b/c/d=http://b/"} {
		if _, err := compile.NewResolver([]string{entry}); err == nil || !strings.Contains(err.Error(), `"`+entry+`"`) {
			t.Errorf("%q: %v", entry, err)
		}
	}
	if _, err := compile.NewResolver([]string{"Service/ns/x=http://a/", "service/ns/x=http://b/"}); err == nil || !strings.Contains(err.Error(), "twice") {
		t.Errorf("a name given twice: %v", err)
	}
}

func TestAnnotations(t *testing.T) {
	tests := []struct {
		annotation, value string
		want              route.Log
		wantError         bool
	}{
		{compile.MaxBytesAnnotation, "512Mi", route.Log{MaxBytes: 512 << 20}, false},
		{compile.MaxBytesAnnotation, "0.5Gi", route.Log{MaxBytes: 512 << 20}, false},
		{compile.MaxBytesAnnotation, "1000", route.Log{MaxBytes: 1000}, false},
		{compile.MaxBytesAnnotation, "0", route.Log{}, true},
		{compile.MaxBytesAnnotation, "-1", route.Log{}, true},
		{compile.MaxBytesAnnotation, "1e9999999", route.Log{}, true},
		{compile.MaxBytesAnnotation, "999999999999999999Pi", route.Log{}, true},
		{compile.MaxBytesAnnotation, "", route.Log{}, true},
		{compile.ReplicasAnnotation, "3", route.Log{Replicas: 3}, false},
		{compile.ReplicasAnnotation, "2", route.Log{}, true},
		{compile.StorageAnnotation, "file", route.Log{}, false},
		{compile.StorageAnnotation, "memory", route.Log{Memory: true}, false},
		{compile.StorageAnnotation, "disk", route.Log{}, true},
		{compile.HistoryAnnotation, "P1D", route.Log{History: 24 * time.Hour}, false},
		{compile.HistoryAnnotation, "1h30m", route.Log{History: 90 * time.Minute}, false},
		{compile.HistoryAnnotation, "-1h", route.Log{}, true},
		{compile.HistoryAnnotation, "-PT1H", route.Log{}, true},
		{compile.DedupWindowAnnotation, "PT2M", route.Log{DedupWindow: 2 * time.Minute}, false},
		{compile.DedupWindowAnnotation, "forever", route.Log{}, true},
		{compile.MaxConsumersAnnotation, "100000", route.Log{MaxConsumers: 100_000}, false},
		{compile.MaxConsumersAnnotation, "100001", route.Log{}, true},
		{compile.MaxInFlightAnnotation, "1", route.Log{}, true}, // It is a Trigger's.
		{compile.AnnotationPrefix + "unknown", "1", route.Log{}, true},
		{"example.com/unknown", "1", route.Log{}, false},
	}
	for _, tt := range tests {
		t.Run(tt.annotation+"="+tt.value, func(t *testing.T) {
			b := brokerOf(t, "")
			b.Annotations = map[string]string{tt.annotation: tt.value}
			got, err := compile.Broker(b, compile.Options{})
			if (err != nil) != tt.wantError || (err != nil && paths(err) != "metadata.annotations["+tt.annotation+"]") {
				t.Errorf("error: %v", err)
			}
			if !reflect.DeepEqual(got.Log, tt.want) {
				t.Errorf("got %+v", got.Log)
			}
		})
	}
}

func TestMaxInFlight(t *testing.T) {
	tests := []struct {
		name        string
		annotations map[string]string
		want        int
		wantError   bool
	}{
		{"without it", nil, route.DefaultMaxInFlight, false},
		{"least", map[string]string{compile.MaxInFlightAnnotation: "1"}, 1, false},
		{"most", map[string]string{compile.MaxInFlightAnnotation: "10000"}, 10_000, false},
		{"none", map[string]string{compile.MaxInFlightAnnotation: "0"}, 0, true},
		{"too many", map[string]string{compile.MaxInFlightAnnotation: "10001"}, 0, true},
		{"no number", map[string]string{compile.MaxInFlightAnnotation: "many"}, 0, true},
		{"a Broker's", map[string]string{compile.ReplicasAnnotation: "1"}, 0, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			trigger := triggerOf(t, "")
			trigger.Annotations = tt.annotations
			got, err := compile.Trigger(trigger, brokerOf(t, ""), compile.Options{})
			if got.MaxInFlight != tt.want || (err != nil) != tt.wantError {
				t.Errorf("got %d, %v", got.MaxInFlight, err)
			}
		})
	}
}

func TestFilters(t *testing.T) {
	tests := []struct {
		name, spec string
		want       filter.Spec
		wantPaths  string
	}{
		{"none", ``, filter.Spec{}, ""},
		{"attributes", `filter: {attributes: {type: a}}`, filter.Spec{Attributes: map[string]string{"type": "a"}}, ""},
		{"every dialect", `filters: [{exact: {a: b}}, {prefix: {a: b}}, {suffix: {a: b}}, {all: [{cesql: 'TRUE'}]}, {any: [{not: {exact: {a: b}}}]}]`,
			filter.Spec{Filters: []filter.Expression{
				{Exact: map[string]string{"a": "b"}},
				{Prefix: map[string]string{"a": "b"}},
				{Suffix: map[string]string{"a": "b"}},
				{All: []filter.Expression{{CESQL: "TRUE"}}},
				{Any: []filter.Expression{{Not: &filter.Expression{Exact: map[string]string{"a": "b"}}}}},
			}}, ""},
		{"bad names", `filter: {attributes: {A: a}}, filters: [{exact: {a: b}}, {any: [{suffix: {a-b: c}}]}, {exact: {a: b}}]`,
			filter.Spec{}, "spec.filter.attributes[A] spec.filters[1].any[0].suffix[a-b]"},
		{"bad CESQL", `filters: [{exact: {a: b}}, {not: {cesql: 'a ='}}]`, filter.Spec{}, "spec.filters[1].not.cesql"},
		{"two dialects", `filters: [{exact: {a: b}}, {all: [{exact: {a: b}, cesql: 'TRUE'}]}]`, filter.Spec{}, "spec.filters[1].all[0]"},
		{"CESQL that is too long", `filters: [{cesql: "a = '` + strings.Repeat("x", 17<<10) + `'"}]`, filter.Spec{}, "spec.filters[0].cesql"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := compile.Trigger(triggerOf(t, tt.spec), brokerOf(t, ""), compile.Options{})
			if !sameSet(strings.Fields(paths(err)), strings.Fields(tt.wantPaths)) {
				t.Errorf("paths %q: %v", paths(err), err)
			}
			if !reflect.DeepEqual(got.Filter, tt.want) {
				t.Errorf("got %+v", got.Filter)
			}
		})
	}
}

func TestBrokerOfTrigger(t *testing.T) {
	tests := []struct {
		name, spec string
		want       string
		wantPaths  string
	}{
		{"broker", `broker: b`, "b", ""},
		{"brokerRef", `brokerRef: {name: b}`, "b", ""},
		{"brokerRef with its own namespace", `brokerRef: {name: b, namespace: ns, kind: Broker}`, "b", ""},
		{"brokerRef to another namespace", `brokerRef: {name: b, namespace: other}`, "", "spec.brokerRef.namespace"},
		{"brokerRef of another kind", `brokerRef: {name: b, kind: Channel}`, "", "spec.brokerRef.kind"},
		{"brokerRef without name", `brokerRef: {kind: Broker}`, "", "spec.brokerRef.name"},
		{"another Broker than the one given", `broker: c`, "c", "spec.broker"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			trigger := parse[eventingv1.Trigger](t, "metadata: {name: t, namespace: ns}\nspec: {"+tt.spec+", subscriber: {uri: 'http://s/'}}\n")
			if got, _ := compile.BrokerName(trigger); got != tt.want {
				t.Errorf("name %q, want %q", got, tt.want)
			}
			if _, err := compile.Trigger(trigger, brokerOf(t, ""), compile.Options{}); paths(err) != tt.wantPaths {
				t.Errorf("error: %v", err)
			}
		})
	}
}

// The routes are stored as JSON: what goes in must come out.
func TestRoutesSurviveJSON(t *testing.T) {
	b := brokerOf(t, `delivery: {retry: 3, deadLetterSink: {uri: 'http://dls/'}}`)
	b.Annotations = map[string]string{compile.HistoryAnnotation: "PT1H", compile.MaxBytesAnnotation: "1Gi"}
	options := compile.Options{Owner: "me"}
	address, err := compile.Broker(b, options)
	if err != nil {
		t.Fatal(err)
	}
	target, err := compile.Trigger(triggerOf(t, `delivery: {retryAfterMax: PT1M}, filters: [{any: [{exact: {a: b}}]}]`), b, options)
	if err != nil {
		t.Fatal(err)
	}
	if address.UID != "b-uid" || target.UID != "t-uid" || address.Owner != "me" || target.Owner != "me" || target.Key.Address != address.Key {
		t.Errorf("identity: %+v, %+v", address, target)
	}
	checkJSON(t, address)
	checkJSON(t, target)
}

func checkJSON[T any](t *testing.T, in T) {
	t.Helper()
	data, err := json.Marshal(in)
	if err != nil {
		t.Fatal(err)
	}
	var out T
	if err := json.Unmarshal(data, &out); err != nil || !reflect.DeepEqual(in, out) {
		t.Errorf("%s: %v", data, err)
	}
}
