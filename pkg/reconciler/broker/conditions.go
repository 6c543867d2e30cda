package broker

import (
	eventingv1 "knative.dev/eventing/pkg/apis/eventing/v1"
	"knative.dev/pkg/apis"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/reconciler/address"
)

// Conditions of a Broker of our class. All of them must be True for the Broker to be Ready; each has one step of the
// reconciler that sets it.
const (
	// ConditionConfig: spec.config was read, or there is none.
	ConditionConfig apis.ConditionType = "ConfigReady"
	// ConditionDeadLetterSink: the dead letter sink has an address, or there is none.
	ConditionDeadLetterSink = eventingv1.BrokerConditionDeadLetterSinkResolved
	// ConditionEventPolicies: nothing restricts who may send. We cannot enforce such a thing yet and refuse everybody instead.
	ConditionEventPolicies = address.ConditionEventPolicies
	// ConditionAddressable: status.address is where events are sent.
	ConditionAddressable = eventingv1.BrokerConditionAddressable
	// ConditionNATS: the controller can use NATS. Its lastTransitionTime is since when.
	ConditionNATS = address.ConditionNATS
	// ConditionStream: the stream that holds the events is as it should be, and the route is written.
	ConditionStream = address.ConditionStream
	// ConditionIngress: at least one ingress is live, and all live ones take events for this Broker.
	ConditionIngress = eventingv1.BrokerConditionIngress
)

// conditions is what upstream's Broker type is told for the whole process: it has one set of conditions for all classes.
func conditions() apis.ConditionSet {
	return apis.NewLivingConditionSet(ConditionConfig, ConditionDeadLetterSink, ConditionEventPolicies, ConditionAddressable,
		ConditionNATS, ConditionStream, ConditionIngress)
}

// Reasons of conditions; those of the steps that Brokers share with Channels are in package address.
const (
	ReasonUnresolved = "DeadLetterSinkUnresolved"
	ReasonInvalid    = "BrokerInvalid"
)
