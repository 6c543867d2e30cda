package broker

import (
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	clientgotesting "k8s.io/client-go/testing"
	eventingv1 "knative.dev/eventing/pkg/apis/eventing/v1"
	"knative.dev/pkg/apis"
	rtesting "knative.dev/pkg/reconciler/testing"
)

// expectation changes a row and the status that is expected of its Broker.
type expectation struct {
	conditions map[apis.ConditionType]apis.Condition
	status     func(*eventingv1.Broker)
	object     runtime.Object
	key        string
	value      any
	requeued   bool
}

// requeued rows are tried again without a change.
var requeued = expectation{requeued: true}

func condition(c apis.ConditionType, want apis.Condition) expectation {
	return expectation{conditions: map[apis.ConditionType]apis.Condition{c: want}}
}

func configured(want apis.Condition) expectation { return condition(ConditionConfig, want) }

func object(o runtime.Object) expectation { return expectation{object: o} }

func data(key string, value any) expectation { return expectation{key: key, value: value} }

func configMap(name string, values map[string]string) expectation {
	return object(&corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: "config", Name: name}, Data: values})
}

func sinkURI(text string) expectation {
	return expectation{status: func(b *eventingv1.Broker) { b.Status.DeadLetterSinkURI = uri(text).URI }}
}

// neverRouted expects the conditions that need a route to be as at the start.
var neverRouted = expectation{status: func(b *eventingv1.Broker) {
	b.Status.Annotations = nil
	fresh := &eventingv1.Broker{}
	fresh.Status.InitializeConditions()
	for i, c := range b.Status.Conditions {
		if (c.Type == ConditionIngress || c.Type == ConditionStream) && c.IsTrue() {
			b.Status.Conditions[i] = *fresh.Status.GetCondition(c.Type)
		}
	}
}}

func ready(name string, b *eventingv1.Broker, expect ...expectation) rtesting.TableRow {
	row := rowOf(name, b, expect)
	row.WantEvents = []string{rtesting.Eventf(corev1.EventTypeNormal, "BrokerReady", "the Broker is ready")}
	return row
}

func unready(name string, b *eventingv1.Broker, expect ...expectation) rtesting.TableRow {
	row := rowOf(name, b, expect)
	top := row.WantStatusUpdates[0].Object.(*eventingv1.Broker).Status.GetTopLevelCondition()
	row.WantEvents = []string{rtesting.Eventf(corev1.EventTypeWarning, "BrokerNotReady", "%s: %s", top.Reason, top.Message)}
	return row
}

func unknown(name string, b *eventingv1.Broker, expect ...expectation) rtesting.TableRow {
	return rowOf(name, b, expect)
}

func rowOf(name string, b *eventingv1.Broker, expect []expectation) rtesting.TableRow {
	row := rtesting.TableRow{Name: name, Key: namespace + "/" + b.Name, Objects: []runtime.Object{b}, OtherTestData: map[string]any{}}
	conditions := map[apis.ConditionType]apis.Condition{}
	for _, e := range expect {
		for c, want := range e.conditions {
			conditions[c] = want
		}
		if e.object != nil {
			row.Objects = append(row.Objects, e.object)
		}
		row.WantErr = row.WantErr || e.requeued
		if e.key != "" {
			row.OtherTestData[e.key] = e.value
		}
	}
	want := b.DeepCopy()
	want.Status = eventingv1.BrokerStatus{}
	withStatus(conditions)(want)
	for _, e := range expect {
		if e.status != nil {
			e.status(want)
		}
	}
	row.WantStatusUpdates = []clientgotesting.UpdateActionImpl{{Object: want}}
	return row
}
