package v1alpha1

import "knative.dev/pkg/apis"

// Conditions of a channel. All but the last must be True for it to be Ready; each has one step of the reconciler that sets it.
const (
	// ConditionDeadLetterSink: the dead letter sink has an address, or there is none.
	ConditionDeadLetterSink apis.ConditionType = "DeadLetterSinkResolved"
	// ConditionEventPolicies: nothing restricts who may send. We cannot enforce such a thing yet and refuse everybody instead.
	ConditionEventPolicies apis.ConditionType = "EventPoliciesReady"
	// ConditionAddressable: status.address is where events are sent, and the Service of that name is there.
	ConditionAddressable apis.ConditionType = "Addressable"
	// ConditionNATS: the controller can use NATS. Its lastTransitionTime is since when.
	ConditionNATS apis.ConditionType = "NATSConnected"
	// ConditionStream: the stream that holds the events is as it should be, and the route is written.
	ConditionStream apis.ConditionType = "StreamReady"
	// ConditionIngress: at least one ingress is live, and all live ones take events for this channel.
	ConditionIngress apis.ConditionType = "IngressReady"
	// ConditionHonoured is False when the spec sets fields that do nothing here; its message names each, with the reason. It is
	// for information: the channel works without them.
	ConditionHonoured apis.ConditionType = "SpecHonoured"
)

// GetConditionSet returns the conditions that make a channel Ready.
func (*NatsJetStreamChannel) GetConditionSet() apis.ConditionSet {
	return apis.NewLivingConditionSet(ConditionDeadLetterSink, ConditionEventPolicies, ConditionAddressable,
		ConditionNATS, ConditionStream, ConditionIngress)
}
