package manifest_test

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/manifest"
)

// loaded loads the files and returns what they became: a word for each address and target, and what was passed by.
func loaded(t *testing.T, files map[string]string) (routes, ignored string) {
	t.Helper()
	dir := write(t, files)
	resources, err := manifest.Load([]string{dir}, manifest.LoadOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return routesOf(resources), strings.ReplaceAll(strings.Join(resources.Ignored, "\n"), dir+string(filepath.Separator), "")
}

func routesOf(r *manifest.Resources) string {
	var out []string
	for _, a := range r.Desired().Addresses {
		out = append(out, a.Key.String())
	}
	for _, t := range r.Desired().Targets {
		out = append(out, t.Key.String())
	}
	return strings.Join(out, ", ")
}

const both = "broker default/default, trigger default/t of broker default/default"

// What is somebody else's is passed by, whatever it holds, with one line that says so.
func TestWhatIsSomebodyElsesIsPassedBy(t *testing.T) {
	for name, c := range map[string]struct{ file, ignored string }{
		"a Deployment": {
			"---\napiVersion: apps/v1\nkind: Deployment\nmetadata: {name: d, namespace: n}\nspec: {x: {y: [1, yes]}}\n",
			"f.yaml:2: Deployment n/d (apps/v1) is somebody else's: ignored",
		},
		"a Service, a Namespace": {
			"apiVersion: v1\nkind: Service\nmetadata: {name: s}\n---\napiVersion: v1\nkind: Namespace\nmetadata: {name: n}\n",
			"f.yaml:1: Service s (v1) is somebody else's: ignored\nf.yaml:5: Namespace n (v1) is somebody else's: ignored",
		},
		"a source": {
			"apiVersion: sources.knative.dev/v1\nkind: PingSource\nmetadata: {name: p}\n",
			"f.yaml:1: PingSource p (sources.knative.dev/v1) is somebody else's: ignored",
		},
		"a Sequence": {
			"apiVersion: flows.knative.dev/v1\nkind: Sequence\nmetadata: {name: p}\n",
			"f.yaml:1: Sequence p (flows.knative.dev/v1) is somebody else's: ignored",
		},
		"a ConfigMap": {
			"apiVersion: v1\nkind: ConfigMap\nmetadata: {name: kafka-broker-config, namespace: knative-eventing}\ndata: {a: 1}\n",
			"f.yaml:1: ConfigMap knative-eventing/kafka-broker-config is not config-br-defaults: ignored",
		},
		"a Channel of another type": {
			"apiVersion: messaging.knative.dev/v1\nkind: InMemoryChannel\nmetadata: {name: c}\n",
			"f.yaml:1: InMemoryChannel c (messaging.knative.dev/v1) is somebody else's: ignored",
		},
		"an EventType": {
			"apiVersion: eventing.knative.dev/v1beta2\nkind: EventType\nmetadata: {name: e}\n",
			"f.yaml:1: EventType e (eventing.knative.dev/v1beta2) is somebody else's: ignored",
		},
		"kinds of others that are called as ours": {
			"apiVersion: operators.coreos.com/v1alpha1\nkind: Subscription\nmetadata: {name: s}\n---\napiVersion: apps.open-cluster-management.io/v1\nkind: Channel\nmetadata: {name: c}\n",
			"f.yaml:1: Subscription s (operators.coreos.com/v1alpha1) is somebody else's: ignored\nf.yaml:5: Channel c (apps.open-cluster-management.io/v1) is somebody else's: ignored",
		},
		"a Broker of another class, with what only its class knows": {
			"apiVersion: eventing.knative.dev/v1\nkind: Broker\nmetadata:\n  name: k\n  annotations: {eventing.knative.dev/broker.class: Kafka}\nspec: {partitions: 3, delivery: {retry: -1}}\n" +
				"---\n" + strings.NewReplacer("name: t", "name: k", "broker: default", "broker: k").Replace(trigger),
			"f.yaml:1: Broker default/k is of class \"Kafka\", not NatsJetStreamBroker: ignored\nf.yaml:8: Trigger default/k: Broker k is of class \"Kafka\": ignored",
		},
		"what belongs to another's, with fields of its own": {
			"apiVersion: eventing.knative.dev/v1\nkind: Trigger\nmetadata: {name: u}\nspec: {broker: k, ordering: strict, subscriber: {uri: /}}\n---\n" +
				"apiVersion: messaging.knative.dev/v1\nkind: Subscription\nmetadata: {name: s}\nspec: {channel: {kind: KafkaChannel, name: c}, key: x}\n---\n" +
				"apiVersion: eventing.knative.dev/v1\nkind: Broker\nmetadata: {name: k, annotations: {eventing.knative.dev/broker.class: Kafka}}\n",
			"f.yaml:11: Broker default/k is of class \"Kafka\", not NatsJetStreamBroker: ignored\nf.yaml:1: Trigger default/u: Broker k is of class \"Kafka\": ignored\n" +
				"f.yaml:6: Subscription default/s: its channel is a KafkaChannel: ignored",
		},
		"what kubectl get prints": {
			"apiVersion: v1\nitems: []\nkind: List\nmetadata: {resourceVersion: \"\"}\n", "",
		},
	} {
		t.Run(name, func(t *testing.T) {
			routes, ignored := loaded(t, map[string]string{"a.yaml": broker, "f.yaml": c.file, "t.yaml": trigger})
			if routes != both {
				t.Errorf("routes %s", routes)
			}
			if ignored != c.ignored {
				t.Errorf("ignored:\n%s\nwant:\n%s", ignored, c.ignored)
			}
		})
	}
}

func TestAKustomizationIsPassedBy(t *testing.T) {
	for _, name := range []string{"kustomization.yaml", "kustomization.yml"} {
		routes, ignored := loaded(t, map[string]string{"a.yaml": broker, name: "resources: [a.yaml, t.yaml]\n", "t.yaml": trigger})
		if routes != both || ignored != name+": is for kustomize: ignored" {
			t.Errorf("%s: routes %s, ignored %s", name, routes, ignored)
		}
	}
}

const (
	brokerJSON  = `{"apiVersion": "eventing.knative.dev/v1", "kind": "Broker", "metadata": {"name": "default", "annotations": {"eventing.knative.dev/broker.class": "NatsJetStreamBroker"}}}`
	triggerJSON = `{"apiVersion": "eventing.knative.dev/v1", "kind": "Trigger", "metadata": {"name": "t", "annotations": {"note": "\ud83d\ude00 \"\u0041\t"}}, "spec": {"broker": "default", "subscriber": {"uri": "http:\/\/127.0.0.1:8080\/"}}}`
)

// The same resources in every form in which kubectl takes them.
func TestFormsOfAFile(t *testing.T) {
	indented := func(text string) string {
		return "- " + strings.ReplaceAll(strings.TrimSpace(text), "\n", "\n  ") + "\n"
	}
	untyped := func(text string) string {
		return strings.NewReplacer("apiVersion: eventing.knative.dev/v1\n", "", "kind: Broker\n", "", "kind: Trigger\n", "").Replace(text)
	}
	list := "apiVersion: v1\nkind: List\nitems:\n"
	for name, file := range map[string]string{
		"two documents":             broker + "---\n" + trigger,
		"comments and empty ones":   "# a\n---\n---\n# b\n--- # c\n" + broker + "...\n---\n\n---  \n" + trigger + "---\n",
		"a directive":               "%YAML 1.1\n---\n" + broker + "---\n" + trigger,
		"Windows line ends":         strings.ReplaceAll(broker+"---\n"+trigger, "\n", "\r\n"),
		"a byte order mark":         "\ufeff" + broker + "---\n" + trigger,
		"one before a separator":    "\ufeff---\r\n" + strings.ReplaceAll(broker+"---\n"+trigger, "\n", "\r\n"),
		"a list":                    list + indented(broker) + indented(trigger),
		"a list in a list":          list + indented(list+indented(broker)) + indented(list+indented(trigger)),
		"lists of one kind":         "apiVersion: eventing.knative.dev/v1\nkind: BrokerList\nitems:\n" + indented(untyped(broker)) + "---\napiVersion: eventing.knative.dev/v1\nkind: TriggerList\nmetadata: {}\nitems:\n" + indented(untyped(trigger)),
		"a list with others":        list + indented("apiVersion: v1\nkind: Service\nmetadata: {name: s}") + indented(broker) + indented(trigger),
		"a status of another time":  broker + "status: {observedBy: someone, conditions: {}}\n---\n" + trigger,
		"JSON values":               brokerJSON + "\n" + triggerJSON,
		"JSON values with tabs":     "\t" + strings.ReplaceAll(brokerJSON, ", ", ",\n\t\t") + "\r\n\t" + triggerJSON,
		"a JSON list":               `{"apiVersion": "v1", "kind": "List", "items": [` + brokerJSON + ", " + triggerJSON + "]}",
		"JSON after a mark":         "\ufeff" + brokerJSON + triggerJSON,
		"JSON between YAML":         brokerJSON + "\n---\n" + trigger,
		"an alias of another item":  list + "- &b\n  " + strings.ReplaceAll(strings.TrimSpace(broker), "\n", "\n  ") + "\n" + indented(trigger),
		"UTF-16 of a Windows shell": utf16le(broker + "---\n" + trigger),
	} {
		t.Run(name, func(t *testing.T) {
			if routes, _ := loaded(t, map[string]string{"f.yaml": file}); routes != both {
				t.Errorf("routes %s", routes)
			}
		})
	}
}

func utf16le(text string) string {
	out := []byte{0xff, 0xfe}
	for _, c := range []byte(text) {
		out = append(out, c, 0)
	}
	return string(out)
}

// Aliases must not make a few lines an endless list.
func TestListsAreBounded(t *testing.T) {
	ten := func(name, item string) string {
		return "- &" + name + "\n  apiVersion: v1\n  kind: List\n  items: [" + strings.TrimSuffix(strings.Repeat(item+", ", 10), ", ") + "]\n"
	}
	file := "apiVersion: v1\nkind: List\nitems:\n" + ten("a", "{apiVersion: v1, kind: Service}")
	for _, name := range []string{"b", "c", "d", "e", "f"} {
		file += ten(name, "*"+string(name[0]-1))
	}
	dir := write(t, map[string]string{"f.yaml": file})
	if _, err := manifest.Load([]string{dir}, manifest.LoadOptions{}); err == nil || !strings.Contains(err.Error(), "too many items") {
		t.Errorf("error %v", err)
	}
}

func TestStandardInput(t *testing.T) {
	dir := write(t, map[string]string{"a.yaml": broker})
	resources, err := manifest.LoadWith(strings.NewReader(trigger), []string{dir, "-"}, manifest.LoadOptions{})
	if err != nil || routesOf(resources) != both {
		t.Fatalf("%v, error %v", resources, err)
	}
	_, err = manifest.LoadWith(strings.NewReader("apiVersion: v1\nkind: Trigger\n"), []string{"-"}, manifest.LoadOptions{})
	if err == nil || !strings.HasPrefix(err.Error(), "standard input:1: ") {
		t.Errorf("error %v", err)
	}
	if _, err = manifest.Load([]string{"-"}, manifest.LoadOptions{}); err == nil {
		t.Error("no error where there is no standard input")
	}
}

func TestAFilterBesideFiltersIsNoted(t *testing.T) {
	for file, want := range map[string]string{
		trigger + "  filter: {attributes: {type: a}}\n":             "",
		trigger + "  filter: {}\n  filters: [{exact: {type: a}}]\n": "",
		trigger + "  filter: {}\n":                                  "",
		trigger + "  filters: []\n":                                 ":1: Trigger default/t: spec.filters is empty: every event passes",
		trigger + "  filters:\n":                                    "",
		trigger + "  filter: {attributes: {}}\n":                    ":1: Trigger default/t: spec.filter.attributes is empty: every event passes",
		trigger + "  filters: [{exact: {type: ''}}]\n": ":1: Trigger default/t: spec.filters[0].exact[type] is empty: the filter is passed over, " +
			"and where no other one holds events back all of them pass",
		trigger + "  filter: {attributes: {type: b}}\n  filters: [{exact: {type: a}}]\n": ":1: Trigger default/t: spec.filter is not read beside spec.filters",
	} {
		path := filepath.Join(write(t, map[string]string{"f.yaml": broker + "---\n", "t.yaml": file}), "t.yaml")
		resources, err := manifest.Load([]string{filepath.Dir(path)}, manifest.LoadOptions{})
		if err != nil {
			t.Fatal(err)
		}
		var notes []string
		for _, note := range resources.Desired().Notes {
			if strings.Contains(note, "Trigger") {
				notes = append(notes, strings.TrimPrefix(note, path))
			}
		}
		if got := strings.Join(notes, "; "); got != want {
			t.Errorf("%s: noted %q, want %q", file, got, want)
		}
	}
}
