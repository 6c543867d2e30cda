package manifest

import (
	"os"
	"testing"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/filter"
)

// Load takes any bytes without a panic, and what it accepts can be served: every target has a name, and a filter that compiles.
func FuzzLoad(f *testing.F) {
	const trigger = "apiVersion: eventing.knative.dev/v1\nkind: Trigger\nmetadata: {name: t}\nspec:\n  broker: default\n  subscriber: {uri: http://s/}\n"
	for _, seed := range []string{
		trigger, brokerYAML("b") + trigger,
		trigger + "  filters:\n  - any: [{exact: {type: a}}, {not: {cesql: 'TRUE'}}]\n",
		trigger + "  delivery: {retry: 3, timeout: PT1S, deadLetterSink: {ref: {apiVersion: v1, kind: S, name: x}, uri: /a}}\n",
		trigger + "  filters: &f\n  - all: *f\n",
		"apiVersion: v1\nkind: ConfigMap\nmetadata: {name: config-br-defaults}\ndata:\n  default-br-config: |\n    clusterDefault: {delivery: {retry: 1}}\n",
		"a: &a [*a]\n", "<<: {a: b}\n", "--- !x\n? [a]\n: b\n", "\xff\xfe", "{\"apiVersion\": 1}", "- - - -\n",
		"apiVersion: eventing.knative.dev/v1\nkind: Broker\nmetadata: {name: a, creationTimestamp: 2020-01-01, managedFields: [{fieldsV1: {a: {}}}]}\nstatus: {}\n",
	} {
		f.Add([]byte(seed))
	}
	quickstart, err := os.ReadFile("../../examples/quickstart/triggers.yaml")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(quickstart)
	f.Fuzz(func(t *testing.T, data []byte) {
		sources := []source{{path: "broker.yaml", data: []byte(brokerYAML("default"))}, {path: "f.yaml", data: data}}
		resources, err := load(sources, LoadOptions{})
		if err != nil {
			return
		}
		for _, target := range resources.Desired().Targets {
			if target.Key.Name == "" || target.Key.Namespace == "" {
				t.Errorf("a target without a name: %+v", target)
			}
			if _, err := filter.Compile(target.Filter); err != nil {
				t.Errorf("%v: %v", target.Key, err)
			}
		}
	})
}
