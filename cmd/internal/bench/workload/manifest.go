package workload

import (
	"fmt"
	"strings"
)

// The Broker that is measured.
const (
	Namespace = "bench"
	Broker    = "bench"
)

// Delivery is the delivery spec of the Triggers.
type Delivery struct {
	// Retry is how often a delivery is repeated.
	Retry int `json:"retry"`
	// Policy is linear or exponential, Delay an ISO 8601 duration.
	Policy string `json:"backoffPolicy,omitempty"`
	Delay  string `json:"backoffDelay,omitempty"`
}

// Manifest is what the YAML of the Broker and its Triggers needs besides the workload.
type Manifest struct {
	Delivery
	// Annotations are the Broker's.
	Annotations map[string]string
	// Subscriber and Sink are the URLs to which the number of a Trigger is appended; "" leaves out the dead letter sink.
	Subscriber, Sink string
}

// YAML returns the Broker and its Triggers, as a user would write them.
func (w Workload) YAML(m Manifest) string {
	var out strings.Builder
	fmt.Fprintf(&out, "apiVersion: eventing.knative.dev/v1\nkind: Broker\nmetadata: {name: %s, namespace: %s, annotations: {", Broker, Namespace)
	for name, value := range m.Annotations {
		fmt.Fprintf(&out, "%q: %q, ", name, value)
	}
	out.WriteString("}}\n")
	for n, t := range w.Targets() {
		fmt.Fprintf(&out, "---\napiVersion: eventing.knative.dev/v1\nkind: Trigger\nmetadata: {name: %s, namespace: %s}\nspec:\n", t.Name, Namespace)
		fmt.Fprintf(&out, "  broker: %s\n  subscriber: {uri: %q}\n%s", Broker, m.Subscriber+itoa(n), t.filterYAML())
		fmt.Fprintf(&out, "  delivery: {retry: %d", m.Retry)
		if m.Policy != "" {
			fmt.Fprintf(&out, ", backoffPolicy: %s, backoffDelay: %s", m.Policy, m.Delay)
		}
		if m.Sink != "" {
			fmt.Fprintf(&out, ", deadLetterSink: {uri: %q}", m.Sink+itoa(n))
		}
		out.WriteString("}\n")
	}
	return out.String()
}

// filterYAML selects the target's type. A type's name begins and ends with what only this type has.
func (t Target) filterYAML() string {
	beginning, _, _ := strings.Cut(t.Type, ".made")
	end := t.Type[strings.LastIndex(t.Type, ".")+1:]
	switch t.filter {
	case FilterType:
		return fmt.Sprintf("  filter: {attributes: {type: %q}}\n", t.Type)
	case FilterPrefix:
		return fmt.Sprintf("  filters: [{prefix: {type: %q}}]\n", beginning+".")
	case FilterSuffix:
		return fmt.Sprintf("  filters: [{suffix: {type: %q}}]\n", "."+end)
	case FilterCESQL:
		return fmt.Sprintf("  filters: [{cesql: %q}]\n", "type LIKE '%."+end+"'")
	default:
		return ""
	}
}
