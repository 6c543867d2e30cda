package manifest_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/manifest"
)

// Each file is wrong in one way (or as many as it wants errors); the line in the error is where an editor should jump.
func TestLoadErrors(t *testing.T) {
	annotated := func(resource, annotation string) string {
		if strings.Contains(resource, "annotations:\n") {
			return strings.Replace(resource, "annotations:\n", "annotations:\n    "+annotation+"\n", 1)
		}
		return strings.Replace(resource, "metadata:\n", "metadata:\n  annotations:\n    "+annotation+"\n", 1)
	}
	tests := []struct {
		name string
		file string
		want []string
	}{
		{"no YAML", "a: b: c\n", []string{
			"f.yaml:1: YAML: mapping values are not allowed in this context",
		}},
		{"a tab", broker + "spec:\n\tdelivery: {}\n", []string{
			"f.yaml:8: YAML: found character that cannot start any token",
		}},
		{"an open list", broker + "spec: [\n", []string{
			"f.yaml:7: YAML: did not find expected node content",
		}},
		{"a scalar", "just words\n", []string{
			`f.yaml:1: must be a mapping with apiVersion and kind, not the string "just words"`,
		}},
		{"no kind", "apiVersion: v1\nmetadata: {}\n", []string{
			"f.yaml:1: kind: must be a string that is not empty",
		}},
		{"empty apiVersion", "kind: Broker\napiVersion:\n", []string{
			"f.yaml:2: apiVersion: must be a string that is not empty",
		}},
		{"unknown kind", "# a comment\napiVersion: eventing.knative.dev/v1\nkind: Brokr\n", []string{
			`f.yaml:3: unknown kind "Brokr": known are Broker, Channel, ConfigMap, Subscription, Trigger`,
		}},
		{"unknown kind of messaging", "apiVersion: messaging.knative.dev/v1\nkind: Subscriptions\n", []string{
			`f.yaml:2: unknown kind "Subscriptions": known are Broker, Channel, ConfigMap, Subscription, Trigger`,
		}},
		{"a policy that nobody would enforce", "apiVersion: eventing.knative.dev/v1alpha1\nkind: EventPolicy\n", []string{
			`f.yaml:2: kind "EventPolicy" has no effect without a cluster, and is not passed by, as events would go other ways than with it`,
		}},
		{"the kind of a Channel in a cluster", "apiVersion: messaging.knative.dev/v1alpha1\nkind: NatsJetStreamChannel\n", []string{
			`f.yaml:2: unknown kind "NatsJetStreamChannel": in files it is a Channel (messaging.knative.dev/v1), with its settings as annotations, jetstream.eventing.knative.dev/*`,
		}},
		{"a misspelt group of a kind of ours", "apiVersion: eventing.knative.de/v1\nkind: Broker\n", []string{
			`f.yaml:1: unknown apiVersion "eventing.knative.de/v1" of a Broker: want eventing.knative.dev/v1`,
		}},
		{"no group", "apiVersion: v1\nkind: Trigger\n", []string{
			`f.yaml:1: unknown apiVersion "v1" of a Trigger: want eventing.knative.dev/v1`,
		}},
		{"an item of a list", "apiVersion: v1\nkind: List\nitems:\n- apiVersion: v1\n  kind: List\n  items:\n  - apiVersion: eventing.knative.dev/v1\n    kind: Brokr\n- 5\n", []string{
			`f.yaml:8: unknown kind "Brokr": known are Broker, Channel, ConfigMap, Subscription, Trigger`,
			"f.yaml:9: must be a mapping with apiVersion and kind, not the number 5",
		}},
		{"items that are none", "apiVersion: v1\nkind: List\nitems: {}\n", []string{
			"f.yaml:3: items: must be a list, not a mapping",
		}},
		{"the second of two JSON values", "{\"apiVersion\": \"v1\", \"kind\": \"Service\"}\n\n{\n\t\"apiVersion\": \"eventing.knative.dev/v1\",\n\t\"kind\": \"Brokr\"}\n", []string{
			`f.yaml:5: unknown kind "Brokr": known are Broker, Channel, ConfigMap, Subscription, Trigger`,
		}},
		{"unknown version", "kind: Broker\napiVersion: eventing.knative.dev/v1beta1\n", []string{
			`f.yaml:2: unknown apiVersion "eventing.knative.dev/v1beta1" of a Broker: want eventing.knative.dev/v1`,
		}},
		{"unknown field", trigger + "  subscribers: []\n", []string{
			`f.yaml:9: spec: unknown field "subscribers": known here are broker, brokerRef, delivery, filter, filters, subscriber`,
		}},
		{"unknown field in another case", trigger + "  Delivery: {}\n", []string{
			`f.yaml:9: spec: unknown field "Delivery": did you mean "delivery"?`,
		}},
		{"unknown field deep inside", trigger + "  delivery:\n    retry: 1\n    retries: 2\n", []string{
			`f.yaml:11: spec.delivery: unknown field "retries": known here are backoffDelay, backoffPolicy, deadLetterSink, format, retry, retryAfterMax, timeout`,
		}},
		{"unknown metadata", strings.Replace(broker, "name: default", "nam: default", 1), []string{
			`f.yaml:4: metadata: unknown field "nam"`,
		}},
		{"duplicate key", trigger + "  broker: other\n", []string{
			`f.yaml:9: spec: duplicate key "broker", first on line 6`,
		}},
		{"duplicate key in a map", trigger + "  filter:\n    attributes:\n      type: a\n      source: b\n      type: c\n", []string{
			`f.yaml:13: spec.filter.attributes: duplicate key "type", first on line 11`,
		}},
		{"duplicate name", broker + "---\n" + broker, []string{
			"f.yaml:11: metadata.name: Broker default/default is defined twice, first in f.yaml:1",
		}},
		{"missing name", "apiVersion: eventing.knative.dev/v1\nkind: Broker\nmetadata:\n  namespace: x\n", []string{
			"f.yaml:3: metadata.name: must not be empty",
		}},
		{"missing metadata", "\n\napiVersion: eventing.knative.dev/v1\nkind: Broker\n", []string{
			"f.yaml:3: metadata.name: must not be empty",
		}},
		{"bad name", strings.Replace(broker, "name: default", "name: De_fault", 1), []string{
			`f.yaml:4: metadata.name: "De_fault" is not a name: a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')`,
		}},
		{"bad namespace", strings.Replace(broker, "name: default", "name: default\n  namespace: a.b", 1), []string{
			`f.yaml:5: metadata.namespace: "a.b" is not a namespace: must not contain dots`,
		}},
		{"wrong type: number", trigger + "  delivery:\n    retry: ten\n", []string{
			`f.yaml:10: spec.delivery.retry: must be a whole number (int32), not the string "ten"`,
		}},
		{"wrong type: fraction", trigger + "  delivery:\n    retry: 1.5\n", []string{
			"f.yaml:10: spec.delivery.retry: must be a whole number (int32), not the number 1.5",
		}},
		{"wrong type: out of range", trigger + "  delivery:\n    retry: 99999999999\n", []string{
			"f.yaml:10: spec.delivery.retry: must be a whole number (int32), not the number 99999999999",
		}},
		{"wrong type: string", trigger + "  filter:\n    attributes:\n      type: 5\n", []string{
			"f.yaml:11: spec.filter.attributes[type]: must be a string, not the number 5",
		}},
		{"wrong type: a bare yes is a boolean for kubectl", trigger + "  filter:\n    attributes:\n      type: yes\n", []string{
			"f.yaml:11: spec.filter.attributes[type]: must be a string, not the boolean yes (quote it to make it a string)",
		}},
		{"wrong type: list", trigger + "  filters:\n    exact: {type: a}\n", []string{
			"f.yaml:10: spec.filters: must be a list, not a mapping",
		}},
		{"wrong type: mapping", trigger + "  filter: all\n", []string{
			`f.yaml:9: spec.filter: must be a mapping, not the string "all"`,
		}},
		{"wrong type: URL", strings.Replace(trigger, "uri: http://127.0.0.1:8080/", "uri: 'http://a b/'", 1), []string{
			`f.yaml:8: spec.subscriber.uri: parse "http://a b/": invalid character " " in host name`,
		}},
		{"wrong type: annotation", annotated(broker, "jetstream.eventing.knative.dev/replicas: 3"), []string{
			"f.yaml:6: metadata.annotations[jetstream.eventing.knative.dev/replicas]: must be a string, not the number 3",
		}},
		{"unparsable duration", trigger + "  delivery:\n    backoffDelay: 200ms\n", []string{
			"f.yaml:10: spec.delivery.backoffDelay: invalid value: 200ms (must be an ISO 8601 duration that is not negative, such as PT0.2S or PT1M)",
		}},
		{"zero timeout", trigger + "  delivery:\n    timeout: PT0S\n", []string{
			"f.yaml:10: spec.delivery.timeout: invalid value: PT0S (must be longer than zero)",
		}},
		{"negative delay", trigger + "  delivery:\n    backoffDelay: -PT1S\n", []string{
			"f.yaml:10: spec.delivery.backoffDelay: invalid value: -PT1S (must be an ISO 8601 duration that is not negative, such as PT0.2S or PT1M)",
		}},
		{"bad policy", trigger + "  delivery:\n    backoffPolicy: constant\n", []string{
			"f.yaml:10: spec.delivery.backoffPolicy: invalid value: constant (must be linear or exponential)",
		}},
		{"bad retryAfterMax", trigger + "  delivery:\n    retryAfterMax: soon\n", []string{
			"f.yaml:10: spec.delivery.retryAfterMax: invalid value: soon (must be an ISO 8601 duration that is not negative, such as PT0.2S or PT1M)",
		}},
		{"negative retry of a Broker", broker + "spec:\n  delivery:\n    retry: -1\n", []string{
			"f.yaml:9: spec.delivery.retry: invalid value: -1 (must not be negative)",
		}},
		{"bad format", broker + "spec:\n  delivery:\n    format: xml\n", []string{
			"f.yaml:9: spec.delivery.format: invalid value: xml (must be json or binary)",
		}},
		{"no broker", strings.Replace(trigger, "  broker: default\n", "", 1), []string{
			"f.yaml:5: spec.broker: missing field(s)",
		}},
		{"no subscriber", strings.Replace(trigger, "subscriber:\n    uri: http://127.0.0.1:8080/", "subscriber: {}", 1), []string{
			"f.yaml:7: spec.subscriber.ref: expected exactly one, got neither",
			"f.yaml:7: spec.subscriber.uri: expected exactly one, got neither",
		}},
		{"relative subscriber", strings.Replace(trigger, "http://127.0.0.1:8080", "", 1), []string{
			"f.yaml:8: spec.subscriber.uri: invalid value: / (must be an absolute URL with scheme and host)",
		}},
		{"password in the URL", strings.Replace(trigger, "http://", "http://me:secret@", 1), []string{
			"f.yaml:8: spec.subscriber.uri: invalid value: http://me:xxxxx@127.0.0.1:8080/ (must not hold a user name or password)",
		}},
		{"incomplete ref", strings.Replace(trigger, "uri: http://127.0.0.1:8080/", "ref: {kind: Service, name: x}", 1), []string{
			"f.yaml:8: spec.subscriber.ref.apiVersion: missing field(s)",
		}},
		{"broker of another namespace", strings.Replace(trigger, "broker: default", "brokerRef:\n    name: b\n    namespace: other", 1), []string{
			"f.yaml:8: spec.brokerRef.namespace: a Broker of another namespace (other/b) cannot be used: put the Trigger into namespace other",
		}},
		{"broker and brokerRef", strings.Replace(trigger, "broker: default", "broker: default\n  brokerRef: {name: default}", 1), []string{
			"f.yaml:6: spec.broker: expected exactly one, got both",
			"f.yaml:7: spec.brokerRef: expected exactly one, got both",
		}},
		{"empty class", strings.Replace(broker, "NatsJetStreamBroker", "''", 1), []string{
			"f.yaml:6: eventing.knative.dev/broker.class: missing field(s)",
		}},
		{"bad attribute name", trigger + "  filter:\n    attributes:\n      source: a\n      Type: b\n", []string{
			`f.yaml:12: spec.filter.attributes[Type]: invalid key name "Type" (Attribute name must start with a letter and can only contain lowercase alphanumeric)`,
		}},
		{"bad attribute name in the second filter", trigger + "  filters:\n  - exact: {type: a}\n  - suffix:\n      my-type: b\n  - exact: {type: c}\n", []string{
			`f.yaml:12: spec.filters[1].suffix[my-type]: invalid key name "my-type" (Attribute name must start with a letter and can only contain lowercase alphanumeric)`,
		}},
		{"two dialects in a nested filter", trigger + "  filters:\n  - exact: {type: a}\n  - any:\n    - exact: {type: a}\n    - exact: {type: a}\n      prefix: {type: b}\n", []string{
			"f.yaml:13: spec.filters[1].any[1]: more than one dialect in one filter: only one may be set",
		}},
		{"bad CESQL", trigger + "  filters:\n  - exact: {type: a}\n  - cesql: type =\n", []string{
			"f.yaml:11: spec.filters[1].cesql: invalid CESQL: column 7: expected a value, found the end",
		}},
		{"unknown annotation of ours", annotated(broker, "jetstream.eventing.knative.dev/max-byte: 1Gi"), []string{
			"f.yaml:6: metadata.annotations[jetstream.eventing.knative.dev/max-byte]: unknown annotation of a Broker (known: jetstream.eventing.knative.dev/dead-letter-copy, jetstream.eventing.knative.dev/dead-letter-max-age, jetstream.eventing.knative.dev/dead-letter-max-bytes, jetstream.eventing.knative.dev/dead-letter-when-full, jetstream.eventing.knative.dev/dedup-window, jetstream.eventing.knative.dev/history, jetstream.eventing.knative.dev/max-bytes, jetstream.eventing.knative.dev/max-consumers, jetstream.eventing.knative.dev/paused, jetstream.eventing.knative.dev/replicas, jetstream.eventing.knative.dev/storage)",
		}},
		{"bad quantity", annotated(broker, "jetstream.eventing.knative.dev/max-bytes: 1e9999999"), []string{
			"f.yaml:6: metadata.annotations[jetstream.eventing.knative.dev/max-bytes]: invalid value: 1e9999999 (must be a positive number of bytes such as 512Mi, at most 1152921504606846976)",
		}},
		{"bad limits of dead letters", annotated(broker, "jetstream.eventing.knative.dev/dead-letter-max-bytes: lots\n    jetstream.eventing.knative.dev/dead-letter-max-age: 1s"), []string{
			"f.yaml:6: metadata.annotations[jetstream.eventing.knative.dev/dead-letter-max-bytes]: invalid value: lots (must be a positive number of bytes such as 512Mi, at most 1152921504606846976)",
			"f.yaml:7: metadata.annotations[jetstream.eventing.knative.dev/dead-letter-max-age]: invalid value: 1s (must be a duration such as P7D or 168h, at least 1m0s, or 0s for none)",
		}},
		{"an annotation of Brokers on a Trigger", annotated(trigger, "jetstream.eventing.knative.dev/max-bytes: 1Gi"), []string{
			"f.yaml:5: metadata.annotations[jetstream.eventing.knative.dev/max-bytes]: unknown annotation of a Trigger (known: jetstream.eventing.knative.dev/dead-letter-copy, jetstream.eventing.knative.dev/max-in-flight, jetstream.eventing.knative.dev/paused, jetstream.eventing.knative.dev/start)",
		}},
		{"bad dead-letter-copy", annotated(trigger, "jetstream.eventing.knative.dev/dead-letter-copy: 'yes'"), []string{
			"f.yaml:5: metadata.annotations[jetstream.eventing.knative.dev/dead-letter-copy]: invalid value: yes (must be true or false)",
		}},
		{"bad max-in-flight", annotated(trigger, "jetstream.eventing.knative.dev/max-in-flight: '0'"), []string{
			"f.yaml:5: metadata.annotations[jetstream.eventing.knative.dev/max-in-flight]: invalid value: 0 (must be a whole number from 1 to 10000)",
		}},
		{"config-br-defaults without its key", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: config-br-defaults}\ndata: {}\n", []string{
			"f.yaml:4: data: must have the key default-br-config",
		}},
		{"config-br-defaults with an unknown field", strings.Replace(defaults, "        retry: 3", "        retries: 3", 1), []string{
			`f.yaml:15: clusterDefault.delivery: unknown field "retries": known here are backoffDelay, backoffPolicy, deadLetterSink, format, retry, retryAfterMax, timeout`,
		}},
		{"config-br-defaults with a bad duration", strings.Replace(defaults, "        retry: 3", "        retry: 3\n        backoffDelay: 1s", 1), []string{
			"f.yaml:16: clusterDefault.delivery.backoffDelay: invalid value: 1s",
		}},
		{"an endless alias", "apiVersion: eventing.knative.dev/v1\nkind: Trigger\nmetadata: {name: t}\nspec:\n  filters: &f\n  - all: *f\n", []string{
			"f.yaml:6: spec.filters[0].all[0].all[0].all[0].all[0].all[0].all[0].all[0].all[0].all[0].all[0].all[0].all[0]....: the document is too large or too deep once its aliases are followed",
		}},
		{"config-br-defaults in quotes with an unknown field", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: config-br-defaults}\ndata:\n  default-br-config: \"a: 1\\nb: 2\"\n", []string{
			`f.yaml:5: unknown field "a": known here are clusterDefault, namespaceDefaults`,
			`f.yaml:5: unknown field "b": known here are clusterDefault, namespaceDefaults`,
		}},
		{"config-br-defaults with broken YAML", strings.Replace(defaults, "        retry: 3", "        retry: 3: 4", 1), []string{
			"f.yaml:15: YAML: mapping values are not allowed in this context",
		}},
		{"config-br-defaults twice", defaults + "---\n" + defaults, []string{
			"f.yaml:27: metadata.name: ConfigMap config-br-defaults is defined twice, first in f.yaml:1",
		}},
		{"an anchor that merges itself", "apiVersion: eventing.knative.dev/v1\nkind: Trigger\nmetadata: {name: t}\nspec: &s\n  <<: *s\n", []string{
			"f.yaml:4: spec: the document is too large or too deep once its aliases are followed",
		}},
		{"a key that is no string", trigger + "  filter:\n    attributes: {1: a}\n", []string{
			"f.yaml:10: spec.filter.attributes: a key must be a string, not the number 1",
		}},
		{"an unknown tag", trigger + "  filter:\n    attributes: {type: !secret a}\n", []string{
			"f.yaml:10: spec.filter.attributes[type]: unknown tag !secret",
		}},
		{"two problems at once", trigger + "  a: 1\n  b: 2\n", []string{
			`f.yaml:9: spec: unknown field "a": known here are broker, brokerRef, delivery, filter, filters, subscriber`,
			`f.yaml:10: spec: unknown field "b": known here are broker, brokerRef, delivery, filter, filters, subscriber`,
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			dir := write(t, map[string]string{"f.yaml": tt.file})
			_, err := manifest.Load([]string{dir}, manifest.LoadOptions{})
			var first *manifest.FileError
			if !errors.As(err, &first) {
				t.Fatalf("error: %v", err)
			}
			if got := strings.ReplaceAll(err.Error(), dir+"/", ""); got != strings.Join(tt.want, "\n") {
				t.Errorf("got:\n%s\nwant:\n%s", got, strings.Join(tt.want, "\n"))
			}
		})
	}
}

func TestLoadBoundsItsErrors(t *testing.T) {
	dir := write(t, map[string]string{
		"a.yaml": "kind: X\n" + strings.Repeat("---\nkind: X\n", 14),
		"b.yaml": "kind: X\n" + strings.Repeat("---\nkind: X\n", 14),
	})
	_, err := manifest.Load([]string{dir}, manifest.LoadOptions{})
	if err == nil {
		t.Fatal("no error")
	}
	lines := strings.Split(err.Error(), "\n")
	if len(lines) != 21 || lines[20] != "and 10 more errors" || !strings.Contains(lines[19], "b.yaml:9: apiVersion") {
		t.Errorf("%d lines: %v", len(lines), err)
	}
}
