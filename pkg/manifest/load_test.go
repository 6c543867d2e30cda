package manifest_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/delivery"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/event"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/filter"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/manifest"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/route"
)

const broker = `apiVersion: eventing.knative.dev/v1
kind: Broker
metadata:
  name: default
  annotations:
    eventing.knative.dev/broker.class: NatsJetStreamBroker
`

const trigger = `apiVersion: eventing.knative.dev/v1
kind: Trigger
metadata:
  name: t
spec:
  broker: default
  subscriber:
    uri: http://127.0.0.1:8080/
`

// write puts files into a new directory and returns it.
func write(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, content := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func mustLoad(t *testing.T, files map[string]string) *manifest.Resources {
	t.Helper()
	resources, err := manifest.Load([]string{write(t, files)}, manifest.LoadOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return resources
}

func TestLoadQuickstart(t *testing.T) {
	resources, err := manifest.Load([]string{"../../examples/quickstart"}, manifest.LoadOptions{Owner: "me"})
	if err != nil {
		t.Fatal(err)
	}
	desired := resources.Desired()
	if len(desired.Addresses) != 1 || len(desired.Targets) != 3 || len(desired.Notes) != 0 || len(resources.Ignored) != 0 {
		t.Fatalf("addresses %v, targets %v, notes %q, ignored %q", desired.Addresses, desired.Targets, desired.Notes, resources.Ignored)
	}
	if got := desired.Addresses[0]; got.Key.String() != "broker default/default" || got.Log.MaxBytes != 64<<20 || got.Owner != "me" {
		t.Errorf("address: %+v", got)
	}
	last := desired.Targets[2]
	want := delivery.Policy{Retry: 3, Backoff: delivery.ExponentialBackoff, Delay: 500 * time.Millisecond, Timeout: 5 * time.Second}
	if last.Delivery != want || last.DeadLetter == nil || last.DeadLetter.URL != "http://127.0.0.1:8080/-/display/dead-letters" {
		t.Errorf("target: %+v", last)
	}
}

func TestQuickstartTriggersMatch(t *testing.T) {
	resources, err := manifest.Load([]string{"../../examples/quickstart"}, manifest.LoadOptions{})
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name, eventType, source, priority string
		want                              string
	}{
		{"the README's event", "com.example.order.created", "/shop/1", "", "orders-created orders-important"},
		{"another source", "com.example.order.created", "/web", "", "orders-created"},
		{"another source, but urgent", "com.example.order.paid", "/web", "high", "orders-important"},
		{"a failure", "com.example.payment.failed", "/shop/1", "", "failures"},
		{"a refusal", "com.example.payment.refused", "/shop/1", "", "failures"},
		{"nobody's", "com.example.other", "/shop/1", "high", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			e := event.Event{}.With(event.SpecVersion, "1.0").With(event.ID, "1").With(event.Type, tt.eventType).With(event.Source, tt.source)
			if tt.priority != "" {
				e = e.With("priority", tt.priority)
			}
			var got []string
			for _, target := range resources.Desired().Targets {
				matcher, err := filter.Compile(target.Filter)
				if err != nil {
					t.Fatal(err)
				}
				if matcher.Match(e) {
					got = append(got, target.Key.Name)
				}
			}
			if strings.Join(got, " ") != tt.want {
				t.Errorf("matched by %q, want %q", got, tt.want)
			}
		})
	}
}

func TestLoadFinds(t *testing.T) {
	resources := mustLoad(t, map[string]string{
		"a.yaml":       "# nothing\n---\n" + broker + "---\n---\n" + trigger,
		"b.yml":        strings.ReplaceAll(trigger, "name: t", "name: second"),
		"c.json":       `{"apiVersion": "eventing.knative.dev/v1", "kind": "Broker", "metadata": {"name": "x.y", "namespace": "other"}}`,
		".hidden.yaml": "nonsense: [",
		"notes.txt":    "nonsense: [",
		"empty.yaml":   "",
	})
	var got []string
	for _, address := range resources.Desired().Addresses {
		got = append(got, address.Key.String())
	}
	for _, target := range resources.Desired().Targets {
		got = append(got, target.Key.String())
	}
	want := "broker default/default, broker other/x.y, trigger default/t of broker default/default, trigger default/second of broker default/default"
	if strings.Join(got, ", ") != want {
		t.Errorf("got %q", got)
	}
}

func TestLoadTakesAFileNamedTwiceOnce(t *testing.T) {
	dir := write(t, map[string]string{"a.yaml": broker})
	resources, err := manifest.Load([]string{dir, filepath.Join(dir, "a.yaml")}, manifest.LoadOptions{})
	if err != nil || len(resources.Desired().Addresses) != 1 {
		t.Errorf("%v, %v", resources, err)
	}
}

func TestLoadFollowsAnchorsAndMergeKeys(t *testing.T) {
	resources := mustLoad(t, map[string]string{"a.yaml": broker + `---
apiVersion: eventing.knative.dev/v1
kind: Trigger
metadata: {name: t}
spec:
  broker: default
  subscriber: {uri: "http://a/"}
  filters:
    - exact: &base {type: a, source: b}
    - not:
        exact: {<<: *base, type: c}
`})
	got := resources.Desired().Targets[0].Filter.Filters
	if got[0].Exact["type"] != "a" || got[1].Not.Exact["type"] != "c" || got[1].Not.Exact["source"] != "b" {
		t.Errorf("filters: %+v", got)
	}
}

func TestLoadMissingPath(t *testing.T) {
	_, err := manifest.Load([]string{"nowhere.yaml"}, manifest.LoadOptions{})
	if !errors.Is(err, fs.ErrNotExist) || err.Error() != "nowhere.yaml: no such file or directory" {
		t.Errorf("error: %v", err)
	}
}

// defaultDelivery is what a Broker gets without config-br-defaults.
var defaultDelivery = delivery.Policy{Retry: 10, Backoff: delivery.ExponentialBackoff, Delay: 200 * time.Millisecond}

const defaults = `apiVersion: v1
kind: ConfigMap
metadata:
  name: config-br-defaults
  namespace: knative-eventing
data:
  default-br-config: |
    clusterDefault:
      brokerClass: MTChannelBasedBroker
      apiVersion: v1
      kind: ConfigMap
      name: config-br-default-channel
      namespace: knative-eventing
      delivery:
        retry: 3
    namespaceDefaults:
      jets:
        brokerClass: NatsJetStreamBroker
        delivery:
          retry: 4
          deadLetterSink:
            ref: {apiVersion: v1, kind: Service, name: dls}
`

func TestDefaults(t *testing.T) {
	unnamed := "apiVersion: eventing.knative.dev/v1\nkind: Broker\nmetadata: {name: default}\n"
	tests := []struct {
		name        string
		files       map[string]string
		want        delivery.Policy
		wantNotes   []string
		wantIgnored []string
	}{{
		name:      "no config-br-defaults: Knative's default delivery, and a note",
		files:     map[string]string{"a.yaml": broker, "t.yaml": trigger},
		want:      defaultDelivery,
		wantNotes: []string{"a.yaml:1: Broker default/default: no spec.delivery and no config-br-defaults: Knative's default delivery applies (retry 10, exponential, PT0.2S)"},
	}, {
		name:  "a delivery of its own stays",
		files: map[string]string{"a.yaml": broker + "spec: {delivery: {retry: 1}}\n", "t.yaml": trigger},
		want:  delivery.Policy{Retry: 1},
	}, {
		name:  "no class: ours, and a note",
		files: map[string]string{"a.yaml": unnamed + "spec: {delivery: {retry: 1}}\n", "t.yaml": trigger},
		want:  delivery.Policy{Retry: 1},
		wantNotes: []string{
			"a.yaml:1: Broker default/default: no class annotation: taken as NatsJetStreamBroker",
		},
	}, {
		name:  "config-br-defaults gives the delivery, from a later file too",
		files: map[string]string{"a.yaml": broker, "t.yaml": trigger, "z.yaml": defaults},
		want:  delivery.Policy{Retry: 3},
	}, {
		name:  "config-br-defaults gives the class: another one is ignored, with its Triggers",
		files: map[string]string{"a.yaml": unnamed, "t.yaml": trigger, "z.yaml": defaults},
		wantIgnored: []string{
			`a.yaml:1: Broker default/default is of class "MTChannelBasedBroker", not NatsJetStreamBroker: ignored`,
			`t.yaml:1: Trigger default/t: Broker default is of class "MTChannelBasedBroker": ignored`,
		},
	}, {
		name:        "a Trigger without its Broker is ignored",
		files:       map[string]string{"t.yaml": trigger},
		wantIgnored: []string{"t.yaml:1: Trigger default/t: Broker default not found: ignored"},
	}, {
		name:  "spec.config is not read, and a note says so",
		files: map[string]string{"a.yaml": broker + "spec: {delivery: {retry: 1}, config: {apiVersion: v1, kind: ConfigMap, name: c}}\n", "t.yaml": trigger},
		want:  delivery.Policy{Retry: 1},
		wantNotes: []string{
			"a.yaml:1: Broker default/default: spec.config (ConfigMap default/c) is not read: settings are annotations, jetstream.eventing.knative.dev/*",
		},
	}}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			dir := write(t, tt.files)
			resources, err := manifest.Load([]string{dir}, manifest.LoadOptions{})
			if err != nil {
				t.Fatal(err)
			}
			desired := resources.Desired()
			short := func(lines []string) string { return strings.ReplaceAll(strings.Join(lines, "\n"), dir+"/", "") }
			if got := short(desired.Notes); got != strings.Join(tt.wantNotes, "\n") {
				t.Errorf("notes:\n%s", got)
			}
			if got := short(resources.Ignored); got != strings.Join(tt.wantIgnored, "\n") {
				t.Errorf("ignored:\n%s", got)
			}
			if len(tt.wantIgnored) > 0 {
				if len(desired.Addresses)+len(desired.Targets) > 0 && len(tt.wantIgnored) > 1 {
					t.Errorf("not ignored: %+v", desired)
				}
				return
			}
			if got := desired.Targets[0].Delivery; got != tt.want {
				t.Errorf("delivery: got %+v, want %+v", got, tt.want)
			}
			if len(desired.Addresses[0].Notes) != len(tt.wantNotes) {
				t.Errorf("the address's notes: %q", desired.Addresses[0].Notes)
			}
		})
	}
}

// Upstream hands every Broker the same pointer into its defaults and then writes the Broker's namespace through it.
func TestDefaultsAreNotShared(t *testing.T) {
	in := func(namespace string) string {
		return strings.Replace(broker, "name: default", "name: default\n  namespace: "+namespace, 1)
	}
	config := strings.Replace(defaults, "        retry: 3\n", "        deadLetterSink: {ref: {apiVersion: v1, kind: Service, name: dls}}\n", 1)
	resources := mustLoad(t, map[string]string{"a.yaml": in("one") + "---\n" + in("two") + "---\n" + config})
	for i, want := range []string{"Service one/dls", "Service two/dls"} {
		if got := resources.Desired().Addresses[i].Notes; len(got) != 1 || !strings.Contains(got[0], want) {
			t.Errorf("notes: %q, want one with %s", got, want)
		}
	}
}

func TestUnresolvedTriggerIsNotReady(t *testing.T) {
	byRef := strings.Replace(trigger, "uri: http://127.0.0.1:8080/", "ref: {apiVersion: v1, kind: Service, name: x}", 1)
	resources := mustLoad(t, map[string]string{"a.yaml": broker + "spec: {delivery: {retry: 1}}\n", "t.yaml": byRef})
	target := resources.Desired().Targets[0]
	const want = "subscriber ref Service default/x is not resolved: "
	if !strings.HasPrefix(target.NotReady, want) || target.Subscriber != nil {
		t.Errorf("target: %+v", target)
	}
	if notes := resources.Desired().Notes; len(notes) != 1 || !strings.Contains(notes[0], "t.yaml:1: Trigger default/t is not ready: "+want) {
		t.Errorf("notes: %q", notes)
	}
}

func TestBrokerRefInTheSameNamespace(t *testing.T) {
	byRef := strings.Replace(trigger, "broker: default", "brokerRef: {apiVersion: eventing.knative.dev/v1, kind: Broker, name: default, namespace: default}", 1)
	resources := mustLoad(t, map[string]string{"a.yaml": broker, "t.yaml": byRef})
	if targets := resources.Desired().Targets; len(targets) != 1 || targets[0].Key.Address != (route.Key{Kind: route.KindBroker, Namespace: "default", Name: "default"}) {
		t.Errorf("targets: %+v", targets)
	}
}
