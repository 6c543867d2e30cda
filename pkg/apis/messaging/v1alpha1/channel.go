package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	eventingduckv1 "knative.dev/eventing/pkg/apis/duck/v1"
	"knative.dev/pkg/apis"
	duckv1 "knative.dev/pkg/apis/duck/v1"
	"knative.dev/pkg/kmeta"
)

// +genclient
// +genreconciler
// +k8s:deepcopy-gen:interfaces=k8s.io/apimachinery/pkg/runtime.Object

// NatsJetStreamChannel is a Channel whose events are in a NATS JetStream stream until each subscriber has them.
type NatsJetStreamChannel struct {
	metav1.TypeMeta `json:",inline"`
	// +optional
	metav1.ObjectMeta `json:"metadata,omitempty"`

	// Spec is what is wanted of the channel.
	// +optional
	Spec NatsJetStreamChannelSpec `json:"spec,omitempty"`

	// Status is what the controller knows of the channel. It follows the spec with a delay.
	// +optional
	Status NatsJetStreamChannelStatus `json:"status,omitempty"`
}

var (
	_ apis.Validatable   = (*NatsJetStreamChannel)(nil)
	_ apis.Defaultable   = (*NatsJetStreamChannel)(nil)
	_ apis.HasSpec       = (*NatsJetStreamChannel)(nil)
	_ duckv1.KRShaped    = (*NatsJetStreamChannel)(nil)
	_ kmeta.OwnerRefable = (*NatsJetStreamChannel)(nil)
	_ runtime.Object     = (*NatsJetStreamChannel)(nil)
)

// NatsJetStreamChannelSpec is what is wanted of a channel.
type NatsJetStreamChannelSpec struct {
	// Of the duck type Channelable: subscribers, which Knative's Subscriptions fill in, and delivery, which applies to
	// subscribers that have none of their own.
	eventingduckv1.ChannelableSpec `json:",inline"`

	// Stream says how the channel's events are stored.
	// +optional
	Stream *Stream `json:"stream,omitempty"`

	// ConsumerConfigTemplate says how each subscriber reads them.
	// +optional
	ConsumerConfigTemplate *ConsumerConfigTemplate `json:"consumerConfigTemplate,omitempty"`

	// DeploymentSpecTemplate is accepted and ignored: all channels share one data plane.
	// +optional
	DeploymentSpecTemplate *runtime.RawExtension `json:"deploymentSpecTemplate,omitempty"`
}

// NatsJetStreamChannelStatus is what the controller knows of a channel.
type NatsJetStreamChannelStatus struct {
	// Of the duck type Channelable: observedGeneration, conditions, address and addresses, the readiness of each subscriber,
	// the dead letter sink's address, and the policies that are enforced.
	eventingduckv1.ChannelableStatus `json:",inline"`
}

// +k8s:deepcopy-gen:interfaces=k8s.io/apimachinery/pkg/runtime.Object

// NatsJetStreamChannelList is several channels.
type NatsJetStreamChannelList struct {
	metav1.TypeMeta `json:",inline"`
	// +optional
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []NatsJetStreamChannel `json:"items"`
}

// GetGroupVersionKind returns the kind, which an object that was read with a typed client does not know itself.
func (*NatsJetStreamChannel) GetGroupVersionKind() schema.GroupVersionKind {
	return SchemeGroupVersion.WithKind(Kind)
}

// GetUntypedSpec returns the spec.
func (c *NatsJetStreamChannel) GetUntypedSpec() any { return c.Spec }

// GetStatus returns the part of the status that all Knative resources have.
func (c *NatsJetStreamChannel) GetStatus() *duckv1.Status { return &c.Status.Status }
