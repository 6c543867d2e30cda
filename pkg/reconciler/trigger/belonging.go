package trigger

import (
	"time"

	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/tools/cache"
	eventingv1 "knative.dev/eventing/pkg/apis/eventing/v1"
	eventinglisters "knative.dev/eventing/pkg/client/listers/eventing/v1"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/compile"
)

// belonging tells which Triggers are ours, as far as the caches know: those whose Broker exists and is of our class.
type belonging struct {
	brokers  eventinglisters.BrokerLister
	triggers cache.Indexer // with byBroker
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

// putOff is for how long news of the Trigger can wait for those of its Broker; 0 when there are none to come.
func (b belonging) putOff(object any) time.Duration {
	t, ok := object.(*eventingv1.Trigger)
	if !ok {
		return 0
	}
	key := compile.ChosenBroker(t, b.crossNamespace())
	broker, err := b.brokers.Brokers(key.Namespace).Get(key.Name)
	if err != nil || !broker.Status.GetTopLevelCondition().IsUnknown() {
		return 0
	}
	return collect(broker)
}

// hearsOfBroker reports whether the Trigger has news of its Broker to come: that this is ready, or why not. Its own status may not say yet
// what the Broker's does.
func (b belonging) hearsOfBroker(key types.NamespacedName) bool {
	object, there, err := b.triggers.GetByKey(key.String())
	t, ok := object.(*eventingv1.Trigger)
	if err != nil || !there || !ok {
		return false
	}
	known := t.Status.GetCondition(eventingv1.TriggerConditionBroker)
	return known != nil && known.IsUnknown() || b.putOff(t) > 0
}

// byBroker is the index of Triggers by the Brokers that they may belong to.
const byBroker = "broker"

// index adds byBroker. It fails only for an informer that was stopped, or has it already. The Broker that a Trigger names
// depends on the feature cross-namespace-event-links: it is found by the one with and by the one without.
func index(triggers cache.SharedIndexInformer) {
	_ = triggers.AddIndexers(cache.Indexers{byBroker: func(object any) ([]string, error) {
		t, ok := object.(*eventingv1.Trigger)
		if !ok {
			return nil, nil
		}
		own, crossed := compile.ChosenBroker(t, false), compile.ChosenBroker(t, true)
		if own == crossed {
			return []string{own.String()}, nil
		}
		return []string{own.String(), crossed.String()}, nil
	}})
}

// of returns the Triggers of a Broker.
func (b belonging) of(broker *eventingv1.Broker) []*eventingv1.Trigger {
	key := compile.BrokerKey(broker.Namespace, broker.Name)
	found, err := b.triggers.ByIndex(byBroker, key.String())
	if err != nil {
		return nil // only without the index
	}
	var own []*eventingv1.Trigger
	for _, object := range found {
		if t, ok := object.(*eventingv1.Trigger); ok && compile.ChosenBroker(t, b.crossNamespace()) == key {
			own = append(own, t)
		}
	}
	return own
}
