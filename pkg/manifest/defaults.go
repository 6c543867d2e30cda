package manifest

import (
	"context"
	"errors"
	"fmt"

	"go.yaml.in/yaml/v3"
	corev1 "k8s.io/api/core/v1"
	eventingconfig "knative.dev/eventing/pkg/apis/config"
	eventingduckv1 "knative.dev/eventing/pkg/apis/duck/v1"
	"knative.dev/eventing/pkg/apis/feature"
	"knative.dev/pkg/apis"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/compile"
)

// withoutConfigMap are the defaults when no file holds config-br-defaults: our class, and the delivery that Knative's own
// installation gives to every Broker (knative.dev/eventing config/core/configmaps/default-broker.yaml).
func withoutConfigMap() *eventingconfig.Defaults {
	retry, policy, delay := int32(10), eventingduckv1.BackoffPolicyExponential, "PT0.2S"
	return &eventingconfig.Defaults{ClusterDefaultConfig: &eventingconfig.DefaultConfig{
		DefaultBrokerClass: compile.BrokerClass,
		BrokerConfig: &eventingconfig.BrokerConfig{Delivery: &eventingduckv1.DeliverySpec{
			Retry:         &retry,
			BackoffPolicy: &policy,
			BackoffDelay:  &delay,
		}},
	}}
}

// upstreamContext carries what SetDefaults and Validate read. The defaults are copied for each resource, as SetDefaults hands
// out pointers into them and then writes the resource's namespace through those.
func upstreamContext(defaults *eventingconfig.Defaults) context.Context {
	ctx := eventingconfig.ToContext(context.Background(), &eventingconfig.Config{Defaults: defaults.DeepCopy()})
	return feature.ToContext(ctx, feature.Flags{
		feature.DeliveryTimeout:    feature.Enabled,
		feature.DeliveryRetryAfter: feature.Enabled,
	})
}

// readDefaults parses the ConfigMap config-br-defaults. Upstream's parser ignores what it does not know, so the YAML in
// its entry is decoded strictly first.
func readDefaults(cm *corev1.ConfigMap, at place, problems *problems) *eventingconfig.Defaults {
	const key = eventingconfig.BrokerDefaultsKey
	path := "data[" + key + "]"
	entry := cm.Data[key]
	if entry == "" {
		problems.add(at.file, at.at(path), fmt.Errorf("data: must have the key %s", key))
		return nil
	}
	found := len(problems.all)
	block, isBlock := at.blocks[path]
	checkEntry(entry, newPlace(at.file, block), problems)
	if !isBlock {
		// The lines of a quoted or folded text are not those of the file.
		for _, problem := range problems.all[found:] {
			problem.Line = at.at(path)
		}
	}
	if len(problems.all) > found {
		return nil
	}
	defaults, err := eventingconfig.NewDefaultsConfigFromConfigMap(cm)
	if err != nil {
		problems.add(at.file, at.at(path), err)
		return nil
	}
	return defaults
}

// checkEntry decodes and validates the entry's YAML, whose first line is the one after at's.
func checkEntry(entry string, at place, problems *problems) {
	var node yaml.Node
	if err := yaml.Unmarshal([]byte(entry), &node); err != nil {
		inner, message := syntaxError(err)
		problems.add(at.file, at.line+inner, errors.New(message))
		return
	}
	if len(node.Content) == 0 {
		problems.add(at.file, at.line, fmt.Errorf("%s holds no defaults", eventingconfig.BrokerDefaultsKey))
		return
	}
	d := &decoder{place: at, problems: problems, offset: at.line}
	var defaults eventingconfig.Defaults
	if !d.decode(node.Content[0], &defaults) {
		return
	}
	ctx := upstreamContext(&defaults)
	errs := validateDefaults(ctx, defaults.ClusterDefaultConfig).ViaField("clusterDefault")
	for namespace, config := range defaults.NamespaceDefaultsConfig {
		errs = errs.Also(validateDefaults(ctx, config).ViaFieldKey("namespaceDefaults", namespace))
	}
	d.fieldProblems(problems, errs)
}

func validateDefaults(ctx context.Context, config *eventingconfig.DefaultConfig) *apis.FieldError {
	if config == nil {
		return nil
	}
	var errs *apis.FieldError
	if config.BrokerConfig != nil {
		errs = errs.Also(validateDelivery(ctx, config.Delivery))
	}
	for class, one := range config.BrokerClasses {
		if one != nil {
			errs = errs.Also(validateDelivery(ctx, one.Delivery).ViaFieldKey("brokerClasses", class))
		}
	}
	return errs
}

func validateDelivery(ctx context.Context, spec *eventingduckv1.DeliverySpec) *apis.FieldError {
	return spec.Validate(ctx).ViaField("delivery")
}
