package main

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	eventingv1alpha1 "knative.dev/eventing/pkg/apis/eventing/v1alpha1"
	eventingclient "knative.dev/eventing/pkg/client/injection/client"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/compile"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/routes"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/reconciler/address"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/reconciler/broker"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/route"
)

// liveRoutes are the names of what has a route at present.
func (c *cluster) liveRoutes() []string {
	c.t.Helper()
	records, err := routes.Records(c.ctx, c.client, "")
	must(c.t, err)
	var names []string
	for _, r := range records {
		switch {
		case r.DeletedAt != nil:
		case r.Target != nil:
			names = append(names, r.Target.Key.Address.TargetKind()+" "+r.Target.Key.Name)
		default:
			names = append(names, string(r.Address.Key.Kind)+" "+r.Address.Key.Name)
		}
	}
	slices.Sort(names)
	return names
}

func (c *cluster) awaitRoutes(want ...string) {
	c.t.Helper()
	c.await("routes of "+strings.Join(want, ", "), func() (bool, any) { got := c.liveRoutes(); return slices.Equal(got, want), got })
}

func (c *cluster) deleteBroker(name string) {
	c.t.Helper()
	must(c.t, eventingclient.Get(c.ctx).EventingV1().Brokers(namespace).Delete(c.ctx, name, metav1.DeleteOptions{}))
}

func TestDeletionIsSeenByAbsence(t *testing.T) {
	c, s := start(t), newSubscriber(t)
	c.createBroker(brokerNamed("orders"))
	c.createTrigger(triggerNamed("billing", "orders", s.url))
	c.createTrigger(triggerNamed("audit", "orders", s.url))
	c.awaitTriggerReady("billing")
	c.awaitTriggerReady("audit")
	if b, trigger := c.broker("orders"), c.trigger("billing"); len(b.Finalizers)+len(trigger.Finalizers) > 0 {
		t.Errorf("finalizers %v, %v", b.Finalizers, trigger.Finalizers)
	}

	must(t, eventingclient.Get(c.ctx).EventingV1().Triggers(namespace).Delete(c.ctx, "billing", metav1.DeleteOptions{}))
	c.awaitRoutes("broker orders", "trigger audit")

	c.deleteBroker("orders")
	c.awaitRoutes()
	c.await("the Trigger that stays says so", func() (bool, any) {
		status := c.trigger("audit").Status
		return status.GetCondition("BrokerReady").IsFalse(), status.Conditions
	})
}

func TestDeletedAndMadeAgainAtOnce(t *testing.T) {
	c, s := start(t), newSubscriber(t)
	c.createBroker(brokerNamed("orders"))
	c.createTrigger(triggerNamed("billing", "orders", s.url+"/billing"))
	c.awaitTriggerReady("billing")
	c.deleteBroker("orders")
	again := brokerNamed("orders")
	again.UID = "another"
	c.createBroker(again)
	c.awaitBrokerReady("orders")
	c.await("the Trigger is ready with the new Broker", func() (bool, any) {
		records, err := routes.Records(c.ctx, c.client, "")
		must(t, err)
		live := 0
		for _, r := range records {
			if r.DeletedAt == nil && (r.Address != nil && r.Address.UID == "another" || r.Target != nil) {
				live++
			}
		}
		return live == 2 && c.trigger("billing").Status.IsReady(), records
	})
	c.mustSend(c.broker("orders"), "1")
	c.await("the event arrives", func() (bool, any) { got := s.ids("/billing"); return slices.Contains(got, "1"), got })
}

func TestRouteDeletedByHandComesBack(t *testing.T) {
	c, s := start(t), newSubscriber(t)
	c.createBroker(brokerNamed("orders"))
	c.createTrigger(triggerNamed("billing", "orders", s.url+"/billing"))
	c.awaitTriggerReady("billing")
	must(t, c.process.owner.RemoveTarget(c.ctx, route.TargetKey{
		Address: compile.BrokerKey(namespace, "orders"), Namespace: namespace, Name: "billing",
	}))
	c.process.audit.Wake()
	c.awaitRoutes("broker orders", "trigger billing")
}

func TestOutageOfNATS(t *testing.T) {
	c, s := start(t), newSubscriber(t)
	c.createBroker(brokerNamed("orders"))
	c.createTrigger(triggerNamed("billing", "orders", s.url+"/billing"))
	c.awaitTriggerReady("billing")

	c.nats.Stop()
	c.await("the Broker says that NATS is away", func() (bool, any) {
		status := c.broker("orders").Status
		return status.GetCondition(broker.ConditionNATS).IsFalse(), status.Conditions
	})
	status := c.broker("orders").Status
	if why := status.GetCondition(broker.ConditionNATS).Message; !strings.Contains(why, "since 20") {
		t.Errorf("no since-when in %q", why)
	}
	if !status.GetCondition(broker.ConditionIngress).IsTrue() || !status.GetCondition(broker.ConditionStream).IsTrue() {
		t.Errorf("what was known is lost: %+v", status.Conditions)
	}
	c.nats.Restart()
	c.awaitBrokerReady("orders")
	c.awaitTriggerReady("billing")
	b := c.broker("orders")
	c.await("events are taken again", func() (bool, any) { status := c.send(b, "1"); return status == http.StatusAccepted, status })
	c.await("the event arrives", func() (bool, any) { got := s.ids("/billing"); return slices.Contains(got, "1"), got })
}

func TestEventPolicyClosesTheBroker(t *testing.T) {
	c := start(t)
	c.createBroker(brokerNamed("orders"))
	c.awaitBrokerReady("orders")
	b := c.broker("orders")
	c.mustSend(b, "1")
	policies := eventingclient.Get(c.ctx).EventingV1alpha1().EventPolicies(namespace)
	_, err := policies.Create(c.ctx, &eventingv1alpha1.EventPolicy{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "p"}}, metav1.CreateOptions{})
	must(t, err)
	c.await("the ingress refuses", func() (bool, any) { status := c.send(b, "2"); return status == http.StatusForbidden, status })
	c.await("the Broker says why", func() (bool, any) {
		condition := c.broker("orders").Status.GetCondition(broker.ConditionEventPolicies)
		return condition.IsFalse() && condition.Reason == address.ReasonPolicyUnenforced, condition
	})
	must(t, policies.Delete(c.ctx, "p", metav1.DeleteOptions{}))
	c.awaitBrokerReady("orders")
	c.await("events are taken again", func() (bool, any) { status := c.send(b, "3"); return status == http.StatusAccepted, status })
}

// The route of a Broker whose configuration is wrong cannot be written anew. It is still served, and must not be open.
func TestEventPolicyClosesABrokerWhoseConfigIsWrong(t *testing.T) {
	c := start(t)
	settings := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "settings"}}
	c.createConfigMap(settings)
	b := brokerNamed("orders")
	b.Spec.Config = configRef("settings")
	c.createBroker(b)
	c.awaitBrokerReady("orders")
	settings.Data = map[string]string{"replicas": "many"}
	c.updateConfigMap(settings)
	c.await("the Broker says so", func() (bool, any) {
		condition := c.broker("orders").Status.GetCondition(broker.ConditionConfig)
		return condition.IsFalse(), condition
	})
	b = c.broker("orders")
	c.mustSend(b, "1")
	policies := eventingclient.Get(c.ctx).EventingV1alpha1().EventPolicies(namespace)
	_, err := policies.Create(c.ctx, &eventingv1alpha1.EventPolicy{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "p"}}, metav1.CreateOptions{})
	must(t, err)
	c.await("the ingress refuses", func() (bool, any) { status := c.send(b, "2"); return status == http.StatusForbidden, status })
	must(t, policies.Delete(c.ctx, "p", metav1.DeleteOptions{}))
	c.await("events are taken again", func() (bool, any) { status := c.send(b, "3"); return status == http.StatusAccepted, status })
}

// Triggers without a Broker, or with another class's, are somebody else's; so is the other class's Broker.
func TestWhatIsNotOursIsNotTouched(t *testing.T) {
	c := start(t)
	other := brokerNamed("theirs")
	other.Annotations = map[string]string{compile.ClassAnnotation: "MTChannelBasedBroker"}
	c.createBroker(other)
	c.createTrigger(triggerNamed("theirs", "theirs", "http://subscriber.example/"))
	c.createTrigger(triggerNamed("none", "none", "http://subscriber.example/"))
	// When ours is ready, the controllers have seen the others too.
	c.createBroker(brokerNamed("ours"))
	c.createTrigger(triggerNamed("ours", "ours", "http://subscriber.example/"))
	c.awaitTriggerReady("ours")
	for _, name := range []string{"theirs", "none"} {
		if got := c.trigger(name); len(got.Status.Conditions) > 0 || got.Status.ObservedGeneration != 0 || len(got.Finalizers) > 0 {
			t.Errorf("Trigger %s: %+v, finalizers %v", name, got.Status, got.Finalizers)
		}
	}
	if got := c.broker("theirs"); len(got.Status.Conditions) > 0 {
		t.Errorf("Broker: %+v", got.Status)
	}
	c.awaitRoutes("broker ours", "trigger ours")
}

func TestBrokerConfigIsFollowed(t *testing.T) {
	c := start(t)
	b := brokerNamed("orders")
	b.Spec.Config = configRef("settings")
	c.createBroker(b)
	c.await("the Broker misses its ConfigMap", func() (bool, any) {
		condition := c.broker("orders").Status.GetCondition(broker.ConditionConfig)
		return condition.IsFalse(), condition
	})
	settings := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "settings"}, Data: map[string]string{"max-in-flight": "7"}}
	c.createConfigMap(settings)
	c.awaitBrokerReady("orders")
	c.createTrigger(triggerNamed("billing", "orders", "http://subscriber.example/"))
	c.awaitTriggerReady("billing")
	c.await("the Trigger has the default of its Broker", func() (bool, any) { got := c.inFlight("billing"); return got == 7, got })
	settings.Data = map[string]string{"max-in-flight": "9", "history": "PT1H"}
	c.updateConfigMap(settings)
	c.await("a change applies", func() (bool, any) { got := c.inFlight("billing"); return got == 9, got })
	settings.Data["history"] = "always"
	c.updateConfigMap(settings)
	c.await("a broken value is named", func() (bool, any) {
		condition := c.broker("orders").Status.GetCondition(broker.ConditionConfig)
		return condition.IsFalse() && strings.Contains(condition.Message, `"history"`), condition
	})
}
