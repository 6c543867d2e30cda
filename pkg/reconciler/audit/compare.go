package audit

import (
	"slices"

	"k8s.io/apimachinery/pkg/types"
	eventingv1 "knative.dev/eventing/pkg/apis/eventing/v1"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/apis/messaging/v1alpha1"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/compile"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/routes"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/route"
)

// Resources are the Brokers, of all classes, the Triggers and the Channels of a cluster.
type Resources struct {
	Brokers  []*eventingv1.Broker
	Triggers []*eventingv1.Trigger
	Channels []*v1alpha1.NatsJetStreamChannel
	// CrossNamespace is whether the feature cross-namespace-event-links is on.
	CrossNamespace bool
}

// wanted are the routes that should be there, each with the UID of its resource.
type wanted struct {
	addresses map[route.Key]types.UID
	targets   map[route.TargetKey]types.UID
}

func (r Resources) wanted() wanted {
	w := wanted{addresses: map[route.Key]types.UID{}, targets: map[route.TargetKey]types.UID{}}
	for _, b := range r.Brokers {
		if b.Annotations[compile.ClassAnnotation] == compile.BrokerClass {
			w.addresses[compile.BrokerKey(b.Namespace, b.Name)] = b.UID
		}
	}
	for _, t := range r.Triggers {
		key := compile.ChosenBroker(t, r.CrossNamespace)
		if _, ours := w.addresses[key]; ours {
			w.targets[route.TargetKey{Address: key, Namespace: t.Namespace, Name: t.Name}] = t.UID
		}
	}
	for _, c := range r.Channels {
		key := compile.ChannelKey(c.Namespace, c.Name)
		w.addresses[key] = c.UID
		for _, s := range c.Spec.Subscribers {
			w.targets[route.TargetKey{Address: key, Namespace: c.Namespace, Name: string(s.UID)}] = s.UID
		}
	}
	return w
}

// difference is what is to be done so that the routes are as wanted.
type difference struct {
	// orphans have no resource, targets first: a target without its address is of no use, but the other way round it is.
	orphans []routes.StoredRecord
	// brokers and triggers have no route, or that of a resource of the same name which was deleted; channels have none, or none of
	// one of their subscribers.
	brokers, triggers, channels []types.NamespacedName
}

// compare is a pure function of the routes and the resources.
func compare(owned []routes.StoredRecord, w wanted) difference {
	var d difference
	var addresses []routes.StoredRecord
	served := map[any]types.UID{}
	for _, record := range owned {
		switch {
		case record.Target != nil:
			served[record.Target.Key] = types.UID(record.Target.UID)
			if _, ok := w.targets[record.Target.Key]; !ok {
				d.orphans = append(d.orphans, record)
			}
		case record.Address != nil:
			served[record.Address.Key] = types.UID(record.Address.UID)
			if _, ok := w.addresses[record.Address.Key]; !ok {
				addresses = append(addresses, record)
			}
		}
	}
	d.orphans = append(d.orphans, addresses...)
	for key, uid := range w.addresses {
		if have, ok := served[key]; !ok || have != uid {
			d.missAddress(key)
		}
	}
	for key, uid := range w.targets {
		if have, ok := served[key]; !ok || have != uid {
			d.missTarget(key)
		}
	}
	return d
}

func (d *difference) missAddress(key route.Key) {
	name := types.NamespacedName{Namespace: key.Namespace, Name: key.Name}
	if key.Kind == route.KindChannel {
		d.missChannel(name)
	} else {
		d.brokers = append(d.brokers, name)
	}
}

func (d *difference) missTarget(key route.TargetKey) {
	if key.Address.Kind == route.KindChannel {
		d.missChannel(types.NamespacedName{Namespace: key.Address.Namespace, Name: key.Address.Name})
	} else {
		d.triggers = append(d.triggers, types.NamespacedName{Namespace: key.Namespace, Name: key.Name})
	}
}

// missChannel notes a channel once, however much of it is missing.
func (d *difference) missChannel(name types.NamespacedName) {
	if !slices.Contains(d.channels, name) {
		d.channels = append(d.channels, name)
	}
}

// leftBehind are the Triggers that lost their Broker and do not say so yet: nobody else calls for them when no process led as it went.
// What is gone itself, and the subscribers of Channels, have nothing to say.
func (r Resources) leftBehind(ended []routes.StoredRecord) []types.NamespacedName {
	lost := map[route.TargetKey]bool{}
	for _, record := range ended {
		if record.Target != nil && record.Target.Key.Address.Kind == route.KindBroker {
			lost[record.Target.Key] = true
		}
	}
	if len(lost) == 0 {
		return nil
	}
	there := map[route.Key]bool{} // in whatever class
	for _, b := range r.Brokers {
		there[compile.BrokerKey(b.Namespace, b.Name)] = true
	}
	var keys []types.NamespacedName
	for _, t := range r.Triggers {
		address := compile.ChosenBroker(t, r.CrossNamespace)
		key := route.TargetKey{Address: address, Namespace: t.Namespace, Name: t.Name}
		if lost[key] && !there[address] && !t.Status.GetCondition(eventingv1.TriggerConditionBroker).IsFalse() {
			keys = append(keys, types.NamespacedName{Namespace: t.Namespace, Name: t.Name})
		}
	}
	return keys
}
