// Package filter decides which events a target gets. A Spec is compiled into a Matcher, which evaluates the whole filter, and
// into the superset of NATS subjects that may hold matching events, so that the server skips what it can.
package filter

// Spec is a Trigger's filter as data. The zero Spec matches every event.
// Exactly one of the dialect fields is set in each element of Filters, as upstream's webhook demands.
//
// Source: knative.dev/eventing pkg/apis/eventing/v1 Trigger.spec.filter and Trigger.spec.filters. A non-empty Filters
// overrides Attributes, as upstream's filter does.
type Spec struct {
	Attributes map[string]string `json:"attributes,omitempty"`
	Filters    []Expression      `json:"filters,omitempty"`
}

// Expression is one element of Trigger.spec.filters.
type Expression struct {
	All    []Expression      `json:"all,omitempty"`
	Any    []Expression      `json:"any,omitempty"`
	Not    *Expression       `json:"not,omitempty"`
	Exact  map[string]string `json:"exact,omitempty"`
	Prefix map[string]string `json:"prefix,omitempty"`
	Suffix map[string]string `json:"suffix,omitempty"`
	CESQL  string            `json:"cesql,omitempty"`
}
