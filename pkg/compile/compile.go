package compile

import (
	"cmp"
	"fmt"

	eventingduckv1 "knative.dev/eventing/pkg/apis/duck/v1"
	eventingv1 "knative.dev/eventing/pkg/apis/eventing/v1"
	"knative.dev/pkg/apis"
	duckv1 "knative.dev/pkg/apis/duck/v1"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/config"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/route"
)

// Options are what routes are made of besides the resources. The zero Options resolve no reference.
type Options struct {
	// Owner is who writes the routes; it goes into each of them.
	Owner string
	// Resolve finds the URLs of references; nil resolves none.
	Resolve Resolver
	// IngressURL is where the ingress takes events, for references among the resources of files; empty when that is not known.
	IngressURL string
	// Defaults are for what no annotation says; the zero value leaves it to the data plane and the owner.
	Defaults config.Broker
	// BrokerChosen says that the caller has found the Trigger's Broker, by upstream's rules for brokerRef; it may be in
	// another namespace. Without it a Trigger's Broker must be in the Trigger's namespace.
	BrokerChosen bool
	// AnySubscriber takes a Trigger's subscriber of any scheme where there is a dead letter sink, to which all its events then go. Knative's
	// conformance tests ask for that in a cluster.
	AnySubscriber bool
}

// BrokerKey is the address that a Broker becomes.
func BrokerKey(namespace, name string) route.Key {
	return route.Key{Kind: route.KindBroker, Namespace: namespace, Name: name}
}

// Broker makes the address of a Broker. A dead letter sink that is not resolved is a note, not an error.
func Broker(b *eventingv1.Broker, o Options) (route.Address, error) {
	address := route.Address{Key: BrokerKey(b.Namespace, b.Name), UID: string(b.UID), Owner: o.Owner, Log: o.Defaults.Log, Paused: PausedBy(b.Annotations)}
	errs := apply(b.Annotations, "Broker", addressSettings(&address.Log))
	_, err := compilePolicy(b.Spec.Delivery)
	errs = errs.Also(err.ViaField("spec", "delivery"))

	sink, err := locate(sinkOf(b.Spec.Delivery), b.Namespace, o.Resolve)
	errs = errs.Also(err.ViaField("spec", "delivery", "deadLetterSink"))
	address.DeadLetter = sink.to
	if sink.unresolved != "" {
		address.Notes = append(address.Notes, "dead letter sink "+sink.unresolved)
	}
	if errs != nil {
		return route.Address{}, errs
	}
	return address, nil
}

// Trigger makes the target of a Trigger of Broker b. A reference that is not resolved leaves
// a target that is not ready and says why: like upstream, a Trigger whose dead letter sink is not known does not deliver
// either, since its failures would have nowhere to go. Errors in the Broker's own spec are left to Broker.
func Trigger(t *eventingv1.Trigger, b *eventingv1.Broker, o Options) (route.Target, error) {
	target := route.Target{
		Key:         route.TargetKey{Address: BrokerKey(b.Namespace, b.Name), Namespace: t.Namespace, Name: t.Name},
		UID:         string(t.UID),
		Owner:       o.Owner,
		Filter:      filterSpec(t.Spec),
		MaxInFlight: cmp.Or(o.Defaults.MaxInFlight, route.DefaultMaxInFlight),

		DeadLetterCopy: CopiedBy(b.Annotations),
	}
	settings := config.TargetSettings(&target.MaxInFlight)
	settings[pausedSetting] = config.PausedSetting(&target.Paused)
	settings[startSetting] = config.StartSetting(&target.Start, madeAt(t.ObjectMeta))
	settings[copySetting] = config.CopySetting(&target.DeadLetterCopy)
	errs := apply(t.Annotations, "Trigger", settings)
	target.Paused = pausedWith(target.Paused, "Broker", PausedBy(b.Annotations))
	if !o.BrokerChosen {
		errs = errs.Also(checkBroker(t, b))
	}
	errs = errs.Also(checkFilter(t.Spec).ViaField("spec"))
	errs = errs.Also(deliveries{
		own: t.Spec.Delivery, ownNamespace: t.Namespace, ownPath: "spec.delivery", address: b.Spec.Delivery, addressNamespace: b.Namespace,
	}.compile(o, &target))

	subscriber, err := locateSubscriber(t, target.DeadLetter, o)
	errs = errs.Also(err.ViaField("spec", "subscriber"))
	target.Subscriber = subscriber.to
	if subscriber.unresolved != "" {
		target.NotReady = joinReasons("subscriber "+subscriber.unresolved, target.NotReady)
	}
	if errs != nil {
		return route.Target{}, errs
	}
	return target, nil
}

// deliveries are the delivery specs that a target can have: its own, and that of its Broker or Channel.
type deliveries struct {
	own, address                   *eventingduckv1.DeliverySpec
	ownNamespace, addressNamespace string
	// ownPath is where the target's own is, for errors. Those in the other are the address's.
	ownPath string
}

// compile takes the target's own delivery spec when it has one, else the address's; a spec without dead letter sink gets the
// address's. Source: knative.dev/eventing pkg/reconciler/broker/trigger/trigger.go, pkg/reconciler/subscription/subscription.go.
func (d deliveries) compile(o Options, target *route.Target) (errs *apis.FieldError) {
	if d.own == nil {
		target.Delivery, _ = compilePolicy(d.address)
	} else {
		target.Delivery, errs = compilePolicy(d.own)
		errs = errs.ViaField(d.ownPath)
	}
	var sink endpoint
	if own := sinkOf(d.own); own == nil {
		var err *apis.FieldError
		if sink, err = locate(sinkOf(d.address), d.addressNamespace, o.Resolve); err != nil {
			sink.unresolved = "of " + target.Key.Address.String() + " cannot be used: " + err.Error()
		}
	} else {
		var err *apis.FieldError
		sink, err = locate(own, d.ownNamespace, o.Resolve)
		errs = errs.Also(err.ViaField(d.ownPath, "deadLetterSink"))
	}
	target.DeadLetter = sink.to
	if sink.unresolved != "" {
		target.NotReady = "dead letter sink " + sink.unresolved
	}
	return errs
}

// joinReasons lists all that a target lacks, so that nobody mends one thing only to hear of the next.
func joinReasons(first, second string) string {
	if second == "" {
		return first
	}
	return first + "; " + second
}

func sinkOf(spec *eventingduckv1.DeliverySpec) *duckv1.Destination {
	if spec == nil {
		return nil
	}
	return spec.DeadLetterSink
}

// BrokerName is the name of the Broker that a Trigger belongs to, in the Trigger's own namespace. A brokerRef counts only
// when it stays in that namespace: events do not cross namespaces.
func BrokerName(t *eventingv1.Trigger) (string, error) {
	name, err := brokerName(t)
	if err != nil {
		return "", err
	}
	return name, nil
}

func brokerName(t *eventingv1.Trigger) (string, *apis.FieldError) {
	ref := t.Spec.BrokerRef
	switch {
	case ref == nil:
		return t.Spec.Broker, nil
	case ref.Namespace != "" && ref.Namespace != t.Namespace:
		return "", &apis.FieldError{
			Message: fmt.Sprintf("a Broker of another namespace (%s/%s) cannot be used: put the Trigger into namespace %s",
				ref.Namespace, ref.Name, ref.Namespace),
			Paths: []string{"spec.brokerRef.namespace"},
		}
	case ref.Kind != "" && ref.Kind != "Broker":
		return "", apis.ErrInvalidValue(ref.Kind, "spec.brokerRef.kind", "must be Broker")
	case ref.Name == "":
		return "", apis.ErrMissingField("spec.brokerRef.name")
	}
	return ref.Name, nil
}

func checkBroker(t *eventingv1.Trigger, b *eventingv1.Broker) *apis.FieldError {
	name, err := brokerName(t)
	if err == nil && (name != b.Name || t.Namespace != b.Namespace) {
		return &apis.FieldError{
			Message: fmt.Sprintf("the Trigger's Broker is %s/%s, not %s/%s", t.Namespace, name, b.Namespace, b.Name),
			Paths:   []string{"spec.broker"},
		}
	}
	return err
}

// ChosenBroker is the Broker that a Trigger in a cluster belongs to, by upstream's rule: brokerRef counts only while the feature
// cross-namespace-event-links is on (knative.dev/eventing pkg/reconciler/broker/trigger/trigger.go).
func ChosenBroker(t *eventingv1.Trigger, crossNamespace bool) route.Key {
	if ref := t.Spec.BrokerRef; ref != nil && crossNamespace {
		return BrokerKey(cmp.Or(ref.Namespace, t.Namespace), ref.Name)
	}
	return BrokerKey(t.Namespace, t.Spec.Broker)
}
