package main

import (
	"fmt"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	eventingclient "knative.dev/eventing/pkg/client/injection/client"
)

// several are the Triggers of the tests that count.
const several = 20

func (c *cluster) createTriggers(broker, url string) (names []string) {
	c.t.Helper()
	for i := range several {
		names = append(names, fmt.Sprintf("t%02d", i))
		c.createTrigger(triggerNamed(names[i], broker, url))
	}
	for _, name := range names {
		c.awaitTriggerReady(name)
	}
	return names
}

// watchFor lets a time pass in which nothing is to happen.
func watchFor(d time.Duration) { <-time.After(d) }

// What was deleted is looked at once; the grace period, in which its route is kept, costs nothing.
func TestDeletionCostsOneReconcileEach(t *testing.T) {
	c, s := startWithGrace(t, time.Hour), newSubscriber(t)
	c.createBroker(brokerNamed("orders"))
	names := c.createTriggers("orders", s.url)
	before := c.costOf("triggers")
	for _, name := range names {
		must(t, eventingclient.Get(c.ctx).EventingV1().Triggers(namespace).Delete(c.ctx, name, metav1.DeleteOptions{}))
	}
	c.awaitRoutes("broker orders")
	watchFor(2 * time.Second)
	if spent := c.costOf("triggers").minus(before); spent.reconciles > 2*several {
		t.Errorf("%d deletions cost %+v", several, spent)
	}
}
