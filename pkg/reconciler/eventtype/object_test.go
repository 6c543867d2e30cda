package eventtype

import (
	"reflect"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/validation"
	eventingduckv1 "knative.dev/eventing/pkg/apis/duck/v1"
	eventingv1 "knative.dev/eventing/pkg/apis/eventing/v1"
	"knative.dev/eventing/pkg/apis/eventing/v1beta2"
	"knative.dev/eventing/pkg/apis/eventing/v1beta3"
	duckv1 "knative.dev/pkg/apis/duck/v1"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/apis/messaging/v1alpha1"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/compile"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/event"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/eventtype"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/route"
)

const namespace = "shop"

func brokerNamed(name string) *eventingv1.Broker {
	scheme := "http"
	return &eventingv1.Broker{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name, UID: types.UID(name + "-uid"),
			Annotations: map[string]string{compile.ClassAnnotation: compile.BrokerClass}},
		Status: eventingv1.BrokerStatus{AddressStatus: duckv1.AddressStatus{Address: &duckv1.Addressable{Name: &scheme}}},
	}
}

func triggerOf(name, broker string) *eventingv1.Trigger {
	return &eventingv1.Trigger{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name, UID: types.UID(name + "-uid")},
		Spec:       eventingv1.TriggerSpec{Broker: broker},
	}
}

// channelNamed has one Subscription.
func channelNamed(name, subscription string) *v1alpha1.NatsJetStreamChannel {
	c := &v1alpha1.NatsJetStreamChannel{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name, UID: types.UID(name + "-uid")}}
	c.Spec.Subscribers = []eventingduckv1.SubscriberSpec{{UID: types.UID(subscription + "-uid"), Name: &subscription}}
	return c
}

// throughChannel is what an ingress writes of an event of the type or, with a Subscription, a filter of a reply.
func throughChannel(c *v1alpha1.NatsJetStreamChannel, subscription string) eventtype.Record {
	address := route.Address{Key: compile.ChannelKey(c.Namespace, c.Name), UID: string(c.UID)}
	r := eventtype.Of(address, event.Event{}.With(event.SpecVersion, "1.0").With(event.Type, "made").With(event.Source, "/shop"))
	if subscription == "" {
		return r
	}
	uid := subscription + "-uid"
	return r.RepliedBy(route.Target{UID: uid, Name: subscription, Key: route.TargetKey{Namespace: c.Namespace, Name: uid}})
}

// recordOf is what an ingress writes of an event of the type.
func recordOf(b *eventingv1.Broker, eventType string) eventtype.Record {
	address := route.Address{Key: compile.BrokerKey(b.Namespace, b.Name), UID: string(b.UID)}
	return eventtype.Of(address, event.Event{}.With(event.SpecVersion, "1.0").With(event.Type, eventType).With(event.Source, "/shop"))
}

// replyOf is what a filter writes of a reply of the type.
func replyOf(t *eventingv1.Trigger, b *eventingv1.Broker, eventType string) eventtype.Record {
	return recordOf(b, eventType).RepliedBy(route.Target{UID: string(t.UID), Key: route.TargetKey{Namespace: t.Namespace, Name: t.Name}})
}

func TestObjects(t *testing.T) {
	b, trigger, scheme := brokerNamed("orders"), triggerOf("billing", "orders"), "http"
	bare, c := brokerNamed("orders"), channelNamed("orders", "billing")
	bare.Status.Address = nil
	for _, test := range []struct {
		name      string
		record    eventtype.Record
		owners    owners
		wantName  string
		wantOwner metav1.OwnerReference
		wantRef   duckv1.KReference
	}{
		{
			name: "from outside", record: recordOf(b, "made"), owners: ofBroker(b), wantName: "et-orders-",
			wantOwner: metav1.OwnerReference{APIVersion: "eventing.knative.dev/v1", Kind: "Broker", Name: "orders", UID: "orders-uid"},
			wantRef:   duckv1.KReference{APIVersion: "eventing.knative.dev/v1", Kind: "Broker", Namespace: namespace, Name: "orders", Address: &scheme},
		},
		{
			name: "of a Broker without an address", record: recordOf(b, "made"), owners: ofBroker(bare), wantName: "et-orders-",
			wantOwner: metav1.OwnerReference{APIVersion: "eventing.knative.dev/v1", Kind: "Broker", Name: "orders", UID: "orders-uid"},
			wantRef:   duckv1.KReference{APIVersion: "eventing.knative.dev/v1", Kind: "Broker", Namespace: namespace, Name: "orders"},
		},
		{
			name: "a reply", record: replyOf(trigger, b, "made"), owners: ofBroker(b).repliedBy(triggerOwner(trigger)), wantName: "et-billing-",
			wantOwner: metav1.OwnerReference{APIVersion: "eventing.knative.dev/v1", Kind: "Trigger", Name: "billing", UID: "billing-uid"},
			wantRef:   duckv1.KReference{APIVersion: "eventing.knative.dev/v1", Kind: "Trigger", Namespace: namespace, Name: "billing"},
		},
		{
			name: "through a channel", record: recordOf(b, "made"), owners: ofChannel(c), wantName: "et-orders-",
			wantOwner: metav1.OwnerReference{APIVersion: "messaging.knative.dev/v1alpha1", Kind: "NatsJetStreamChannel", Name: "orders", UID: "orders-uid"},
			wantRef:   duckv1.KReference{APIVersion: "messaging.knative.dev/v1alpha1", Kind: "NatsJetStreamChannel", Namespace: namespace, Name: "orders"},
		},
		{
			name: "a reply of a Subscription's", record: recordOf(b, "made"), wantName: "et-billing-",
			owners:    ofChannel(c).repliedBy(subscriptionOwner(namespace, c.Spec.Subscribers[0])),
			wantOwner: metav1.OwnerReference{APIVersion: "messaging.knative.dev/v1", Kind: "Subscription", Name: "billing", UID: "billing-uid"},
			wantRef:   duckv1.KReference{APIVersion: "messaging.knative.dev/v1", Kind: "Subscription", Namespace: namespace, Name: "billing"},
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			got := objectOf(test.record, test.owners)
			label, _ := test.owners.label()
			if !strings.HasPrefix(got.Name, test.wantName) || got.Namespace != namespace || got.Labels[label] != "orders-uid" {
				t.Errorf("%+v", got.ObjectMeta)
			}
			if want := []metav1.OwnerReference{test.wantOwner}; !reflect.DeepEqual(got.OwnerReferences, want) {
				t.Errorf("owners %+v, want %+v", got.OwnerReferences, want)
			}
			if !reflect.DeepEqual(got.Spec.Reference, &test.wantRef) {
				t.Errorf("reference %+v, want %+v", got.Spec.Reference, test.wantRef)
			}
			want := []v1beta3.EventAttributeDefinition{
				{Name: "type", Required: true, Value: "made"}, {Name: "source", Required: true, Value: "/shop"},
				{Name: "schemadata", Required: true}, {Name: "specversion", Required: true, Value: "1.0"}, {Name: "id", Required: true},
			}
			if !reflect.DeepEqual(got.Spec.Attributes, want) || got.Spec.Description != "Event Type auto-created by controller" {
				t.Errorf("spec %+v", got.Spec)
			}
			got.SetDefaults(t.Context())
			if err := got.Validate(t.Context()); err != nil {
				t.Errorf("upstream's webhook refuses it: %v", err)
			}
			var older v1beta2.EventType // what upstream's tests read
			if err := older.ConvertFrom(t.Context(), got); err != nil || older.Spec.Type != "made" || older.Spec.Reference == nil {
				t.Errorf("as v1beta2: %+v, error %v", older.Spec, err)
			}
		})
	}
}

func TestNamesAreLegalAndTheirOwn(t *testing.T) {
	seen := map[string]bool{}
	dotted := strings.Repeat(strings.Repeat("n", 53)+".", 4) // a dot where the name is cut
	for _, owner := range []string{"orders", "orders.v2", strings.Repeat("n", 253), dotted + strings.Repeat("n", 37), dotted + "-" + "n"} {
		for _, eventType := range []string{"a", "b"} {
			b := brokerNamed(owner)
			for _, r := range []eventtype.Record{recordOf(b, eventType), replyOf(triggerOf(owner, owner), b, eventType)} {
				name := nameOf(r, owner)
				if problems := validation.IsDNS1123Subdomain(name); len(problems) > 0 || seen[name] {
					t.Errorf("%s: taken %v, %v", name, seen[name], problems)
				}
				seen[name] = true
			}
		}
	}
}
