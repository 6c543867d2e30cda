package main

import (
	"fmt"
	"slices"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	eventingduckv1 "knative.dev/eventing/pkg/apis/duck/v1"
	eventingv1 "knative.dev/eventing/pkg/apis/eventing/v1"
	eventingclient "knative.dev/eventing/pkg/client/injection/client"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/buckets"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/reconciler/broker"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/route"
)

// several are the Triggers of the tests that count, and crowd those of the one in which the controllers lag behind who makes them.
const (
	several = 20
	crowd   = 100
)

func (c *cluster) createTriggers(broker, url string) (names []string) {
	c.t.Helper()
	names = c.makeTriggers(broker, url)
	for _, name := range names {
		c.awaitTriggerReady(name)
	}
	return names
}

// makeTriggers is createTriggers that waits for nothing.
func (c *cluster) makeTriggers(broker, url string) (names []string) {
	c.t.Helper()
	for i := range several {
		names = append(names, fmt.Sprintf("t%02d", i))
		c.createTrigger(triggerNamed(names[i], broker, url))
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

// The records of subscribers that left are kept for the grace period as well. They are no Triggers, and call for nobody.
func TestLeavingSubscribersStartNoLoop(t *testing.T) {
	c, s := startWithGrace(t, time.Hour), newSubscriber(t)
	var all []eventingduckv1.SubscriberSpec
	for i := range several {
		all = append(all, subscriberAt(fmt.Sprintf("s%02d", i), s.url))
	}
	c.createChannel("orders", all...)
	c.awaitChannelReady("orders")
	watchFor(2 * time.Second) // the fake API server has the spec overwritten by a status that is being written
	before := c.costOf("channels")
	channel := c.channel("orders")
	channel.Generation, channel.Spec.Subscribers = 2, nil
	_, err := c.channels().Update(c.ctx, channel, metav1.UpdateOptions{})
	must(t, err)
	c.awaitRoutes("channel orders")
	watchFor(2 * time.Second)
	if spent := c.costOf("channels").minus(before); spent.reconciles > 5 { // a loop makes five a second
		t.Errorf("%d subscribers that left cost %+v", several, spent)
	}
	if spent := c.costOf("triggers"); spent.reconciles > 0 {
		t.Errorf("they cost %+v as Triggers", spent)
	}
}

// A Trigger is reconciled when it comes, and once more when the filters serve it. Its own status is no news to it.
func TestCostOfTriggers(t *testing.T) {
	c, s := start(t), newSubscriber(t)
	c.createBroker(brokerNamed("orders"))
	c.awaitBrokerReady("orders")
	watchFor(time.Second) // until the controllers have heard of it, too
	c.createTriggers("orders", s.url)
	watchFor(2 * time.Second)
	made := c.costOf("triggers")
	if made.reconciles > 2*several || made.statusWrites > 2*several {
		t.Errorf("%d Triggers cost %+v; the writes of one: %q", several, made, c.writes("t03"))
	}
	// A filter whose report is late, on a busy machine, makes its Triggers not ready and ready again. What goes on by itself does so each time.
	for range 3 {
		triggers, brokers := c.idleCost()
		if triggers.reconciles+triggers.statusWrites+brokers.reconciles+brokers.statusWrites == 0 {
			return
		}
		t.Logf("%d Triggers cost %+v and their Broker %+v when nothing happens", several, triggers, brokers)
	}
	t.Error("there was no time in which nothing happened")
}

// idleCost is what is spent in more than one comparison and one sweep.
func (c *cluster) idleCost() (triggers, brokers cost) {
	triggers, brokers = c.costOf("triggers"), c.costOf("brokers")
	watchFor(12 * time.Second)
	return c.costOf("triggers").minus(triggers), c.costOf("brokers").minus(brokers)
}

// Many at once wait for their turn longer than the filter does between two reports, and some than the audit between two comparisons.
// Each is called for by the report that covers its own record, and by no other.
func TestCostOfManyTriggers(t *testing.T) {
	c, s := start(t), newSubscriber(t)
	c.createBroker(brokerNamed("orders"))
	c.awaitBrokerReady("orders")
	watchFor(time.Second) // until the controllers have heard of it, too
	name := func(i int) string { return fmt.Sprintf("t%03d", i) }
	for i := range crowd {
		c.createTrigger(triggerNamed(name(i), "orders", s.url))
		c.process.audit.Wake()
	}
	for i := range crowd {
		c.awaitTriggerReady(name(i))
	}
	watchFor(2 * time.Second)
	if made := c.costOf("triggers"); made.reconciles > 2*crowd+several || made.statusWrites > 2*crowd {
		t.Errorf("%d Triggers cost %+v; the writes of one: %q", crowd, made, c.writes(name(3)))
	}
}

// Of two replicas, one follows. What the other has not made yet is nothing to be repaired.
func TestAFollowerWaitsForTheLeader(t *testing.T) {
	c, s := start(t), newSubscriber(t)
	c.createBroker(brokerNamed("orders"))
	c.awaitBrokerReady("orders")
	c.follow("triggers")
	names := c.makeTriggers("orders", s.url)
	for range 5 { // each is a comparison
		c.process.audit.Wake()
		watchFor(time.Second)
	}
	if passed := c.costOf("triggers"); passed.reconciles != len(names) {
		t.Errorf("%d Triggers of which this process heard were passed by %d times", len(names), passed.reconciles)
	}
}

// A Trigger of a Broker that is not ready yet says so, and then that both are ready: what is said in between has no news of its own.
func TestCostOfTriggersThatWaitForTheirBroker(t *testing.T) {
	c, s := newCluster(t, time.Millisecond), newSubscriber(t)
	c.startControllers()
	c.createBroker(brokerNamed("first"))
	c.await("the controllers have seen NATS", func() (bool, any) {
		stream := c.broker("first").Status.GetCondition(broker.ConditionStream)
		return stream.IsTrue(), stream
	})
	c.createBroker(brokerNamed("orders"))
	names := c.makeTriggers("orders", s.url)
	for _, name := range names {
		c.await("Trigger "+name+" says that it waits", func() (bool, any) {
			known := c.trigger(name).Status.GetCondition(eventingv1.TriggerConditionBroker)
			return known.GetReason() == "WaitsForBroker", known
		})
	}
	c.startFilter()
	c.await("the filter serves the Triggers", func() (bool, any) {
		reports, err := buckets.LatestReports(c.ctx, c.client)
		must(t, err)
		return slices.ContainsFunc(reports.Live, func(r route.Report) bool { return r.Revision > several && len(r.Failures) == 0 }), reports
	})
	c.startIngress()
	for _, name := range names {
		c.awaitTriggerReady(name)
	}
	watchFor(2 * time.Second)
	if made := c.costOf("triggers"); made.reconciles > 2*several || made.statusWrites > 2*several {
		t.Errorf("%d Triggers cost %+v; the writes of one: %q", several, made, c.writes("t03"))
	}
}

// All at once, as a namespace is applied: the Broker becomes ready while its Triggers are being made. A Trigger is reconciled when there
// is a log for it, and when the filters serve it and the Broker is ready. Which of these is last, and how many come together, depends on
// the machine: a busy one has a reconciliation more.
func TestCostOfTriggersMadeWithTheirBroker(t *testing.T) {
	c, s := start(t), newSubscriber(t)
	c.createBroker(brokerNamed("orders"))
	c.createTriggers("orders", s.url)
	watchFor(2 * time.Second)
	brokers := c.costOf("brokers")
	if brokers.reconciles > 8 || brokers.statusWrites > 6 {
		t.Errorf("a Broker cost %+v", brokers)
	}
	const each = 4
	if made := c.costOf("triggers"); made.reconciles > each*several || made.statusWrites > each*several {
		t.Errorf("%d Triggers cost %+v, and their Broker %+v; the writes of one: %q", several, made, brokers, c.writes("t03"))
	}
}
