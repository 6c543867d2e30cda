package trigger

import (
	"time"

	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/tools/cache"
	eventingduckv1 "knative.dev/eventing/pkg/apis/duck/v1"
	eventingv1 "knative.dev/eventing/pkg/apis/eventing/v1"
	"knative.dev/pkg/apis"
	duckv1 "knative.dev/pkg/apis/duck/v1"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/compile"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/reconciler/address"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/reconciler/broker"
)

// matter is what the Triggers of a Broker depend on. Its fields are exported for those who compare.
type matter struct {
	UID      types.UID
	Class    string
	Config   *duckv1.KReference
	Delivery *eventingduckv1.DeliverySpec
	Sink     eventingduckv1.DeliveryStatus
	Log      bool
	Paused   string
	Ready    apis.Condition
}

func matterOf(b *eventingv1.Broker) matter {
	m := matter{
		UID: b.UID, Class: b.Annotations[compile.ClassAnnotation], Config: b.Spec.Config, Delivery: b.Spec.Delivery,
		Sink: b.Status.DeliveryStatus, Log: address.HasLog(b.Status.GetCondition(broker.ConditionStream)),
		Paused: compile.PausedBy(b.Annotations),
	}
	if ready := b.Status.GetTopLevelCondition(); ready != nil {
		m.Ready.Status = ready.Status
		if ready.IsFalse() { // what a Broker waits for is its own affair, and changes often
			m.Ready.Reason, m.Ready.Message = ready.Reason, ready.Message
		}
	}
	return m
}

// collect is for how long changes of the Broker are collected.
func collect(b *eventingv1.Broker) time.Duration {
	if b.Status.GetTopLevelCondition().IsUnknown() && !matterOf(b).Log {
		return patience
	}
	return settle
}

// onBrokerChange calls for a Broker that came, went, or changed in what its Triggers depend on.
func onBrokerChange(call func(*eventingv1.Broker)) cache.ResourceEventHandler {
	always := func(object any) {
		if b, ok := object.(*eventingv1.Broker); ok {
			call(b)
		}
	}
	return cache.ResourceEventHandlerFuncs{
		AddFunc:    always,
		DeleteFunc: always,
		UpdateFunc: func(before, after any) {
			old, wasBroker := before.(*eventingv1.Broker)
			if now, ok := after.(*eventingv1.Broker); ok && wasBroker && equality.Semantic.DeepEqual(matterOf(old), matterOf(now)) {
				return
			}
			always(after)
		},
	}
}
