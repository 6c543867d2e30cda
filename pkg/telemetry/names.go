// Package telemetry names the metrics and attributes of all processes, in one place. The names are upstream's, so that a
// dashboard for one Broker class or Channel type serves the other (knative.dev/eventing pkg/observability/key.go, pkg/tracing,
// pkg/broker/ingress/ingress_handler.go, pkg/broker/filter/filter_handler.go, pkg/channel/fanout).
package telemetry

import (
	"go.opentelemetry.io/otel/attribute"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/route"
)

// Histograms, in seconds, with the bounds of LatencyBuckets.
const (
	// DispatchDuration is the time to hand an event on: from the ingress to its log, or from the filter to its subscriber.
	DispatchDuration = "kn.eventing.dispatch.duration"
	// ProcessDuration is the time that a filter spends on an event before it sends it.
	ProcessDuration = "kn.eventing.process.duration"
)

// Repairs counts what the controller found changed by somebody else, and made right again.
const Repairs = "eventing.jetstream.repairs"

// UnitSeconds is the unit of the histograms, in UCUM.
const UnitSeconds = "s"

// Attributes of a measurement. An event's id, source and subject are not among them: a sender could make up any number.
const (
	BrokerName       attribute.Key = "kn.broker.name"
	BrokerNamespace  attribute.Key = "kn.broker.namespace"
	ChannelName      attribute.Key = "kn.channel.name"
	ChannelNamespace attribute.Key = "kn.channel.namespace"
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

// Address returns the attributes that say which Broker or Channel a measurement is about.
func Address(k route.Key) [2]attribute.KeyValue {
	if k.Kind == route.KindChannel {
		return [2]attribute.KeyValue{ChannelNamespace.String(k.Namespace), ChannelName.String(k.Name)}
	}
	return [2]attribute.KeyValue{BrokerNamespace.String(k.Namespace), BrokerName.String(k.Name)}
}

// AddressDestination returns the value of MessagingDest for a Broker or a Channel.
func AddressDestination(k route.Key) string { return string(k.Kind) + ":" + k.Name + "." + k.Namespace }

// TargetDestination returns the value of MessagingDest for a Trigger, or for a Channel's Subscription.
func TargetDestination(t route.Target) string {
	kind := "trigger:"
	if t.Key.Address.Kind == route.KindChannel {
		kind = "subscription:"
	}
	return kind + t.DisplayName() + "." + t.Key.Namespace
}
