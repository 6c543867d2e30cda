package main

import (
	"slices"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	eventingclient "knative.dev/eventing/pkg/client/injection/client"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/compile"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/naming"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/reconciler/address"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/reconciler/broker"
)

// hand is what an administrator does by hand.
func (c *cluster) hand() jetstream.JetStream {
	c.t.Helper()
	conn, err := nats.Connect(c.nats.URL())
	must(c.t, err)
	c.t.Cleanup(conn.Close)
	js, err := jetstream.New(conn)
	must(c.t, err)
	return js
}

func logOf(t *testing.T, name string) string {
	t.Helper()
	names, err := naming.New(naming.DefaultPrefix)
	must(t, err)
	return names.Log(compile.BrokerKey(namespace, name))
}

func TestAStreamDeletedByHandIsMadeAgainAndTheLossIsShown(t *testing.T) {
	c, s := start(t), newSubscriber(t)
	c.createBroker(brokerNamed("orders"))
	c.createTrigger(triggerNamed("billing", "orders", s.url+"/billing"))
	c.awaitTriggerReady("billing")
	must(t, c.hand().DeleteStream(c.ctx, logOf(t, "orders")))
	must(t, c.process.owner.Sweep(c.ctx)) // the audit's, sooner; its comparison tells the Broker
	shown := func() (bool, any) {
		condition := c.broker("orders").Status.GetCondition(broker.ConditionStream)
		return condition.IsTrue() && condition.Reason == address.ReasonRemade, condition
	}
	c.await("the Broker says that events are lost", shown)
	c.awaitBrokerReady("orders")
	c.await("events are delivered again", func() (bool, any) {
		status := c.send(c.broker("orders"), "1")
		got := s.ids("/billing")
		return slices.Contains(got, "1"), []any{status, got}
	})

	// It says so still after another change of the Broker.
	b := c.broker("orders")
	b.Generation++
	b.Annotations[compile.HistoryAnnotation] = "PT1H"
	_, err := eventingclient.Get(c.ctx).EventingV1().Brokers(namespace).Update(c.ctx, b, metav1.UpdateOptions{})
	must(t, err)
	c.await("the change is seen", func() (bool, any) {
		status := c.broker("orders").Status
		return status.ObservedGeneration == b.Generation, status
	})
	if ok, condition := shown(); !ok {
		t.Errorf("the loss is forgotten: %+v", condition)
	}
	// And it tells of the next one. Nothing but the sweep has the Broker reconciled now.
	told := c.broker("orders").Status.GetCondition(broker.ConditionStream).Message
	c.await("another second", func() (bool, any) {
		now := time.Now().UTC().Format(time.RFC3339)
		return !strings.Contains(told, now), now
	})
	must(t, c.hand().DeleteStream(c.ctx, logOf(t, "orders")))
	must(t, c.process.owner.Sweep(c.ctx))
	c.await("the Broker says when", func() (bool, any) {
		now := c.broker("orders").Status.GetCondition(broker.ConditionStream).Message
		return now != told, now
	})
}

// A NATS that has lost everything has lost the routes too: only the Broker's status knows that there was a log.
func TestANATSThatLostEverythingIsShown(t *testing.T) {
	c := start(t)
	c.createBroker(brokerNamed("orders"))
	c.awaitBrokerReady("orders")
	js := c.hand()
	for name := range js.StreamNames(c.ctx).Name() {
		must(t, js.DeleteStream(c.ctx, name))
	}
	c.process.audit.Wake()
	c.await("the Broker says that events are lost", func() (bool, any) {
		condition := c.broker("orders").Status.GetCondition(broker.ConditionStream)
		return condition.IsTrue() && condition.Reason == address.ReasonRemade, condition
	})
	c.awaitBrokerReady("orders")
}

func TestDeletedAndMadeAgainWithAnotherStorage(t *testing.T) {
	c, s := start(t), newSubscriber(t)
	c.createBroker(brokerNamed("orders"))
	c.createTrigger(triggerNamed("billing", "orders", s.url+"/billing"))
	c.awaitTriggerReady("billing")
	c.deleteBroker("orders")
	again := brokerNamed("orders")
	again.UID = "another"
	again.Annotations[compile.StorageAnnotation] = "memory"
	c.createBroker(again)
	c.await("the new Broker is Ready", func() (bool, any) {
		b := c.broker("orders")
		return b.UID == "another" && b.IsReady(), b.Status.Conditions
	})
	info, err := c.hand().Stream(c.ctx, logOf(t, "orders"))
	must(t, err)
	if have := info.CachedInfo().Config.Storage; have != jetstream.MemoryStorage {
		t.Errorf("the log is in %s", have)
	}
	c.mustSend(c.broker("orders"), "1")
	c.await("the event arrives", func() (bool, any) { got := s.ids("/billing"); return slices.Contains(got, "1"), got })

	// A live Broker's own log is never removed: what cannot be changed is named.
	b := c.broker("orders")
	b.Generation++
	b.Annotations[compile.StorageAnnotation] = "file"
	_, err = eventingclient.Get(c.ctx).EventingV1().Brokers(namespace).Update(c.ctx, b, metav1.UpdateOptions{})
	must(t, err)
	c.await("the condition names the field", func() (bool, any) {
		condition := c.broker("orders").Status.GetCondition(broker.ConditionStream)
		return condition.IsFalse() && condition.Reason == address.ReasonImmutable && strings.HasSuffix(condition.Message, "storage"), condition
	})
}
