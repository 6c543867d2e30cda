// Package telemetry names the metrics and attributes of all processes, in one place. The names are upstream's, so that a
// dashboard for one Broker class serves the other (knative.dev/eventing pkg/observability/key.go,
// pkg/broker/ingress/ingress_handler.go, pkg/broker/filter/filter_handler.go).
package telemetry

import "go.opentelemetry.io/otel/attribute"

// Histograms, in seconds, with the bounds of LatencyBuckets.
const (
	// DispatchDuration is the time to hand an event on: from the ingress to its log, or from the filter to its subscriber.
	DispatchDuration = "kn.eventing.dispatch.duration"
	// ProcessDuration is the time that a filter spends on an event before it sends it.
	ProcessDuration = "kn.eventing.process.duration"
)

// UnitSeconds is the unit of the histograms, in UCUM.
const UnitSeconds = "s"

// Attributes of a measurement. An event's id, source and subject are not among them: a sender could make up any number.
const (
	BrokerName       attribute.Key = "kn.broker.name"
	BrokerNamespace  attribute.Key = "kn.broker.namespace"
	EventType        attribute.Key = "cloudevents.type"
	MessagingSystem  attribute.Key = "messaging.system"
	MessagingDest    attribute.Key = "messaging.destination.name"
	MessagingOp      attribute.Key = "messaging.operation.name"
	HTTPStatusCode   attribute.Key = "http.response.status_code"
	RequestURLScheme attribute.Key = "url.scheme"
)

// Values of attributes.
const (
	// SystemKnative is the value of MessagingSystem.
	SystemKnative = "knative"
	// OperationSend is the value of MessagingOp in the ingress.
	OperationSend = "send"
	// Other stands for every value beyond the bound of an attribute whose values come from senders. The spelling follows
	// OpenTelemetry's conventions (http.request.method).
	Other = "_OTHER"
)

// LatencyBuckets returns upstream's histogram bounds, in seconds.
func LatencyBuckets() []float64 {
	return []float64{.005, .01, .025, .05, .075, .1, .25, .5, .75, 1, 2.5, 5, 7.5, 10}
}

// BrokerDestination returns the value of MessagingDest for a Broker.
func BrokerDestination(namespace, name string) string { return "broker:" + name + "." + namespace }

// TriggerDestination returns the value of MessagingDest for a Trigger.
func TriggerDestination(namespace, name string) string { return "trigger:" + name + "." + namespace }
