package e2e

import (
	"fmt"
	"strings"
)

// resource is one document of a manifest. Its spec is YAML in flow style.
type resource struct {
	kind, namespace, name string
	annotations           map[string]string
	spec                  string
}

func (r resource) String() string {
	var annotations []string
	for name, value := range r.annotations {
		annotations = append(annotations, fmt.Sprintf("%q: %q", name, value))
	}
	group := "eventing"
	if r.kind == "Channel" || r.kind == "Subscription" {
		group = "messaging"
	}
	return fmt.Sprintf("apiVersion: %s.knative.dev/v1\nkind: %s\nmetadata: {namespace: %q, name: %q, annotations: {%s}}\nspec: %s\n",
		group, r.kind, r.namespace, r.name, strings.Join(annotations, ", "), r.spec)
}

func manifest(resources ...resource) string {
	documents := make([]string, len(resources))
	for i, r := range resources {
		documents[i] = r.String()
	}
	return strings.Join(documents, "---\n")
}

// brokerOf makes a Broker of our class in the namespace default, without retries unless its spec says so. Further
// annotations come as pairs of name, without our prefix, and value.
func brokerOf(name, spec string, settings ...string) resource {
	r := resource{kind: "Broker", namespace: "default", name: name, spec: spec, annotations: map[string]string{
		"eventing.knative.dev/broker.class": "NatsJetStreamBroker",
	}}
	if spec == "" {
		r.spec = "{delivery: {retry: 0}}"
	}
	for i := 0; i+1 < len(settings); i += 2 {
		r.annotations["jetstream.eventing.knative.dev/"+settings[i]] = settings[i+1]
	}
	return r
}

// triggerOf makes a Trigger of the Broker whose subscriber is at the URI. more is further fields of its spec.
func triggerOf(of resource, name, uri string, more ...string) resource {
	fields := append([]string{fmt.Sprintf("broker: %q", of.name), fmt.Sprintf("subscriber: {uri: %q}", uri)}, more...)
	return resource{kind: "Trigger", namespace: of.namespace, name: name, spec: "{" + strings.Join(fields, ", ") + "}"}
}

// channelOf makes a Channel in the namespace default. Annotations come as pairs of name, without our prefix, and value.
func channelOf(name, spec string, settings ...string) resource {
	return messaging("Channel", name, spec, settings)
}

// subscriptionOf makes a Subscription to the Channel. fields are those of its spec beside the channel.
func subscriptionOf(of resource, name, fields string, settings ...string) resource {
	spec := fmt.Sprintf("{channel: {apiVersion: messaging.knative.dev/v1, kind: Channel, name: %q}, %s}", of.name, fields)
	return messaging("Subscription", name, spec, settings)
}

func messaging(kind, name, spec string, settings []string) resource {
	r := resource{kind: kind, namespace: "default", name: name, spec: spec, annotations: map[string]string{}}
	for i := 0; i+1 < len(settings); i += 2 {
		r.annotations["jetstream.eventing.knative.dev/"+settings[i]] = settings[i+1]
	}
	return r
}
