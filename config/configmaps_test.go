package config_test

import (
	"fmt"
	"reflect"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	eventingconfig "knative.dev/eventing/pkg/apis/config"
	"sigs.k8s.io/yaml"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/compile"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/config"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/route"
)

// What the example of our ConfigMap says is what the controller reads, with all its keys.
func TestBrokerConfigExample(t *testing.T) {
	m := configMap(t, "config-br-jetstream")
	if got, err := config.ParseBroker(m.Data); err != nil || !reflect.DeepEqual(got, config.Broker{}) {
		t.Errorf("as applied it sets %+v, %v", got, err)
	}
	example := map[string]string{}
	if err := yaml.UnmarshalStrict([]byte(m.Data["_example"]), &example); err != nil {
		t.Fatal(err)
	}
	got, err := config.ParseBroker(example)
	want := config.Broker{MaxInFlight: 100, Log: route.Log{
		Replicas: 3, MaxBytes: 1 << 30, History: 24 * time.Hour, DedupWindow: 2 * time.Minute, MaxConsumers: 1000,
		DeadLetterMaxBytes: 256 << 20, DeadLetterMaxAge: 30 * 24 * time.Hour, DiscardOldLetters: true,
		Placement: route.Placement{Cluster: "east", Tags: "ssd,zone-a"},
	}}
	if err != nil || !reflect.DeepEqual(got, want) || len(example) != len(config.BrokerKeys()) {
		t.Errorf("got %+v, %v; %d of %d keys", got, err, len(example), len(config.BrokerKeys()))
	}
}

// Applied as it is, the ConfigMap says nothing: whoever has set a URL keeps it when a new version is applied.
func TestTheConnectionIsTheUsers(t *testing.T) {
	m := configMap(t, "eventing-jetstream-nats")
	if len(m.Data) != 1 || m.Data["_example"] == "" {
		t.Errorf("it sets %v", m.Data)
	}
	for _, o := range load(t) {
		if s, ok := o.value.(*corev1.Service); ok && s.Name == "eventing-jetstream-nats" {
			if want := fmt.Sprintf("nats://%s.%s.svc:%d", s.Name, s.Namespace, s.Spec.Ports[0].Port); config.DefaultNATSURL != want {
				t.Errorf("without a URL it is %s, and config/nats makes %s", config.DefaultNATSURL, want)
			}
			return
		}
	}
	t.Error("config/nats has no Service")
}

func TestBrokerDefaultsGiveOurClassItsConfigMap(t *testing.T) {
	defaults, err := eventingconfig.NewDefaultsConfigFromConfigMap(configMap(t, "config-br-defaults"))
	if err != nil {
		t.Fatal(err)
	}
	class := compile.BrokerClass
	got, err := defaults.GetBrokerConfig("any", &class)
	if err != nil || got.Kind != "ConfigMap" || got.Name != "config-br-jetstream" || got.Namespace != systemNamespace {
		t.Fatalf("%+v, %v", got, err)
	}
	if d := got.Delivery; d == nil || *d.Retry != 10 || *d.BackoffPolicy != "exponential" || *d.BackoffDelay != "PT0.2S" {
		t.Errorf("delivery %+v", got.Delivery)
	}
}
