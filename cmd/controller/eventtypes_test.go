package main

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"knative.dev/eventing/pkg/apis/feature"
	eventingclient "knative.dev/eventing/pkg/client/injection/client"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/routes"
)

// eventTypes lists what each EventType is of: its owner, its reference, its type and its source.
func (c *cluster) eventTypes() []string {
	c.t.Helper()
	list, err := eventingclient.Get(c.ctx).EventingV1beta3().EventTypes(namespace).List(c.ctx, metav1.ListOptions{})
	must(c.t, err)
	var all []string
	for _, e := range list.Items {
		owner, reference := e.OwnerReferences[0], e.Spec.Reference
		if owner.Name != reference.Name || owner.Kind != reference.Kind || string(owner.UID) != owner.Name+"-uid" {
			c.t.Errorf("owner %+v, reference %+v", owner, reference)
		}
		all = append(all, owner.Kind+" "+owner.Name+": "+e.Spec.Attributes[0].Value+" of "+e.Spec.Attributes[1].Value)
	}
	slices.Sort(all)
	return all
}

// answerer is a subscriber that replies with an event to every event but its own replies.
func answerer(t *testing.T) string {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Ce-Type") == "answer" {
			return
		}
		for name, value := range map[string]string{"Ce-Id": "a", "Ce-Source": "/answerer", "Ce-Type": "answer", "Ce-Specversion": "1.0"} {
			w.Header().Set(name, value)
		}
	}))
	t.Cleanup(server.Close)
	return server.URL
}

func TestTypesOfEventsAndRepliesAreDescribed(t *testing.T) {
	c := start(t, feature.EvenTypeAutoCreate)
	c.createBroker(brokerNamed("orders"))
	c.createTrigger(triggerNamed("billing", "orders", answerer(t)))
	c.awaitTriggerReady("billing")
	c.mustSend(c.broker("orders"), "1")
	want := []string{"Broker orders: answer of /answerer", "Broker orders: t of /s", "Trigger billing: answer of /answerer"}
	c.await("EventTypes", func() (bool, any) { got := c.eventTypes(); return slices.Equal(got, want), got })
}

func TestNoEventTypesUnlessTheFeatureIsOn(t *testing.T) {
	c := start(t)
	c.createBroker(brokerNamed("orders"))
	s := newSubscriber(t)
	c.createTrigger(triggerNamed("billing", "orders", s.url+"/billing"))
	c.awaitTriggerReady("billing")
	c.mustSend(c.broker("orders"), "1")
	c.await("the event arrives", func() (bool, any) { got := s.ids("/billing"); return len(got) == 1, got })
	records, err := routes.Records(c.ctx, c.client, "")
	must(t, err)
	for _, r := range records {
		if r.Address != nil && r.Address.RecordEventTypes {
			t.Error("the ingress is asked to record")
		}
	}
	conn, err := nats.Connect(c.nats.URL())
	must(t, err)
	defer conn.Close()
	js, err := jetstream.New(conn)
	must(t, err)
	if _, err := js.KeyValue(c.ctx, "kn_eventtypes"); !errors.Is(err, jetstream.ErrBucketNotFound) {
		t.Errorf("a bucket was made: error %v", err)
	}
	if got := c.eventTypes(); len(got) > 0 {
		t.Errorf("EventTypes %v", got)
	}
}
