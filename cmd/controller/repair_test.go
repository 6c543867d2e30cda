package main

import (
	"testing"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/compile"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/naming"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/route"
)

// changeRoute has the route of a Trigger of Broker orders lead elsewhere, and returns what reads where the route leads.
func (c *cluster) changeRoute(trigger string) (read func() string) {
	c.t.Helper()
	names, err := naming.New(naming.DefaultPrefix)
	must(c.t, err)
	bucket, err := c.hand().KeyValue(c.ctx, names.RoutesBucket())
	must(c.t, err)
	key := naming.TargetKey(route.TargetKey{Address: compile.BrokerKey(namespace, "orders"), Namespace: namespace, Name: trigger})
	record := func() route.Record {
		entry, err := bucket.Get(c.ctx, key)
		must(c.t, err)
		record, err := route.DecodeRecord(entry.Value())
		must(c.t, err)
		return record
	}
	changed := record()
	changed.Target.Subscriber.URL += "/elsewhere"
	data, err := changed.Encode()
	must(c.t, err)
	_, err = bucket.Put(c.ctx, key, data)
	must(c.t, err)
	return func() string { return record().Target.Subscriber.URL }
}

// Who reconciles Triggers repairs their routes, whoever reconciles Brokers and ends routes.
func TestARouteIsRepairedByWhoReconcilesItsTrigger(t *testing.T) {
	c, s := start(t), newSubscriber(t)
	c.createBroker(brokerNamed("orders"))
	c.createTrigger(triggerNamed("billing", "orders", s.url+"/billing"))
	c.awaitTriggerReady("billing")
	c.follow("brokers")
	read := c.changeRoute("billing")
	c.process.audit.Wake()
	c.await("the route leads to the Trigger's subscriber again", func() (bool, any) {
		got := read()
		return got == s.url+"/billing", got
	})
}

// What somebody changes by hand is made right again, although nothing is missing and everybody is Ready: else events go to where no
// Trigger sends them, or are dropped before anybody got them.
func TestWhatIsChangedByHandIsMadeRightAgain(t *testing.T) {
	c, s := start(t), newSubscriber(t)
	c.createBroker(brokerNamed("orders"))
	c.createTrigger(triggerNamed("billing", "orders", s.url+"/billing"))
	c.awaitTriggerReady("billing")
	js := c.hand()
	names, err := naming.New(naming.DefaultPrefix)
	must(t, err)

	log, err := js.Stream(c.ctx, logOf(t, "orders"))
	must(t, err)
	changed := log.CachedInfo().Config
	changed.Discard, changed.MaxMsgs = jetstream.DiscardOld, 5
	_, err = js.UpdateStream(c.ctx, changed)
	must(t, err)
	shared, err := js.Consumer(c.ctx, logOf(t, "orders"), names.SharedConsumer())
	must(t, err)
	pending := shared.CachedInfo().Config.MaxAckPending
	limited := shared.CachedInfo().Config
	limited.MaxAckPending = 1
	_, err = js.UpdateConsumer(c.ctx, logOf(t, "orders"), limited)
	must(t, err)

	read := c.changeRoute("billing")
	c.process.audit.Wake()
	c.await("the route leads to the Trigger's subscriber again", func() (bool, any) {
		got := read()
		return got == s.url+"/billing", got
	})
	c.await("the log drops nothing again", func() (bool, any) {
		log, err := js.Stream(c.ctx, logOf(t, "orders"))
		must(t, err)
		got := log.CachedInfo().Config
		return got.Discard == jetstream.DiscardNew && got.MaxMsgs == -1, got
	})
	c.await("the consumer has its limit again", func() (bool, any) {
		shared, err := js.Consumer(c.ctx, logOf(t, "orders"), names.SharedConsumer())
		must(t, err)
		got := shared.CachedInfo().Config.MaxAckPending
		return got == pending, got
	})
}
