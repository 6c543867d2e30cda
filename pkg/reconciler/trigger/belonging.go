package trigger

import (
	"k8s.io/apimachinery/pkg/labels"
	eventingv1 "knative.dev/eventing/pkg/apis/eventing/v1"
	eventinglisters "knative.dev/eventing/pkg/client/listers/eventing/v1"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/compile"
)

// belonging tells which Triggers are ours, as far as the caches know: those whose Broker exists and is of our class.
type belonging struct {
	brokers  eventinglisters.BrokerLister
	triggers eventinglisters.TriggerLister
	// crossNamespace reports whether the feature cross-namespace-event-links is on.
	crossNamespace func() bool
}

// isOurs is a filter for event handlers.
func (b belonging) isOurs(object any) bool {
	t, ok := object.(*eventingv1.Trigger)
	if !ok {
		return false
	}
	key := compile.ChosenBroker(t, b.crossNamespace())
	broker, err := b.brokers.Brokers(key.Namespace).Get(key.Name)
	return err == nil && broker.Annotations[compile.ClassAnnotation] == compile.BrokerClass
}

// of returns the Triggers of a Broker.
func (b belonging) of(broker *eventingv1.Broker) []*eventingv1.Trigger {
	all, err := b.triggers.List(labels.Everything())
	if err != nil {
		return nil // a cache has no errors
	}
	var own []*eventingv1.Trigger
	for _, t := range all {
		if compile.ChosenBroker(t, b.crossNamespace()) == compile.BrokerKey(broker.Namespace, broker.Name) {
			own = append(own, t)
		}
	}
	return own
}
