package eventtype

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	eventingduckv1 "knative.dev/eventing/pkg/apis/duck/v1"
	eventingv1 "knative.dev/eventing/pkg/apis/eventing/v1"
	messagingv1 "knative.dev/eventing/pkg/apis/messaging/v1"
	duckv1 "knative.dev/pkg/apis/duck/v1"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/apis/messaging/v1alpha1"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/compile"
)

// One of these is on each EventType that we make, with the UID of its Broker or Channel.
const (
	BrokerLabel  = compile.AnnotationPrefix + "broker-uid"
	ChannelLabel = compile.AnnotationPrefix + "channel-uid"
)

// resource is one that an EventType can be about.
type resource struct {
	apiVersion, kind, namespace, name string
	uid                               types.UID
	// address is the name of the one of its addresses that events were sent to.
	address *string
}

// owners are the resources that a record belongs to.
type owners struct {
	// object is the Broker or Channel, address what EventTypes say of it.
	object  runtime.Object
	address resource
	// target is the Trigger or Subscription. It is zero unless its subscriber sent the event, as a reply.
	target resource
}

func ofBroker(b *eventingv1.Broker) owners {
	return owners{object: b, address: resource{
		eventingv1.SchemeGroupVersion.String(), "Broker", b.Namespace, b.Name, b.UID, nameOfAddress(b.Status.Address),
	}}
}

func ofChannel(c *v1alpha1.NatsJetStreamChannel) owners {
	return owners{object: c, address: resource{
		v1alpha1.SchemeGroupVersion.String(), v1alpha1.Kind, c.Namespace, c.Name, c.UID, nameOfAddress(c.Status.Address),
	}}
}

func nameOfAddress(a *duckv1.Addressable) *string {
	if a == nil {
		return nil
	}
	return a.Name
}

func triggerOwner(t *eventingv1.Trigger) resource {
	return resource{apiVersion: eventingv1.SchemeGroupVersion.String(), kind: "Trigger", namespace: t.Namespace, name: t.Name, uid: t.UID}
}

// subscriptionOwner is the Subscription that a channel's subscriber stands for.
func subscriptionOwner(namespace string, s eventingduckv1.SubscriberSpec) resource {
	r := resource{apiVersion: messagingv1.SchemeGroupVersion.String(), kind: "Subscription", namespace: namespace, uid: s.UID}
	if s.Name != nil {
		r.name = *s.Name
	}
	return r
}

// repliedBy says whose subscriber sent the event.
func (o owners) repliedBy(target resource) owners {
	o.target = target
	return o
}

// label tells the EventTypes of one Broker or Channel from all others.
func (o owners) label() (name string, uid types.UID) {
	if o.address.kind == v1alpha1.Kind {
		return ChannelLabel, o.address.uid
	}
	return BrokerLabel, o.address.uid
}

// of returns the EventType's owner, and the reference to it.
func (o owners) of() (metav1.OwnerReference, *duckv1.KReference) {
	r := o.target
	if r == (resource{}) {
		r = o.address
	}
	return metav1.OwnerReference{APIVersion: r.apiVersion, Kind: r.kind, Name: r.name, UID: r.uid},
		&duckv1.KReference{APIVersion: r.apiVersion, Kind: r.kind, Namespace: r.namespace, Name: r.name, Address: r.address}
}
