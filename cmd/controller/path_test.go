package main

import (
	"fmt"
	"slices"
	"testing"
)

func TestEventGoesFromBrokerToSubscriber(t *testing.T) {
	c, s := start(t), newSubscriber(t)
	c.createBroker(brokerNamed("orders"))
	c.awaitBrokerReady("orders")
	b := c.broker("orders")
	if got := b.Status.Address.URL.String(); got != "http://eventing-jetstream-ingress.knative-testing.svc.cluster.local/shop/orders" {
		t.Errorf("address %s", got)
	}
	c.createTrigger(triggerNamed("billing", "orders", s.url+"/billing"))
	c.awaitTriggerReady("billing")
	c.mustSend(b, "1")
	c.await("the event arrives", func() (bool, any) { got := s.ids("/billing"); return slices.Equal(got, []string{"1"}), got })
	if got := c.trigger("billing").Status.SubscriberURI.String(); got != s.url+"/billing" {
		t.Errorf("subscriberUri %s", got)
	}
}

// A Trigger is Ready only once every event from then on is its own: what is sent at that moment must arrive.
func TestNoEventIsLostOnceATriggerIsReady(t *testing.T) {
	const triggers = 30
	c, s := start(t), newSubscriber(t)
	c.createBroker(brokerNamed("orders"))
	c.awaitBrokerReady("orders")
	b := c.broker("orders")
	for i := range triggers {
		name, id := fmt.Sprintf("t%d", i), fmt.Sprintf("e%d", i)
		c.createTrigger(triggerNamed(name, "orders", s.url+"/"+name))
		c.awaitTriggerReady(name)
		c.mustSend(b, id)
	}
	for i := range triggers {
		path, id := fmt.Sprintf("/t%d", i), fmt.Sprintf("e%d", i)
		c.await(path+" gets "+id, func() (bool, any) { got := s.ids(path); return slices.Contains(got, id), got })
	}
}
