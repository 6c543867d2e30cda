package main

import (
	"strings"
	"testing"
	"time"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/routes"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/manifest"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/route"
)

func TestNamed(t *testing.T) {
	broker := route.Key{Kind: route.KindBroker, Namespace: "shop", Name: "b"}
	other := route.Key{Kind: route.KindBroker, Namespace: "shop", Name: "other"}
	channel := route.Key{Kind: route.KindChannel, Namespace: "shop", Name: "c"}
	target := func(of route.Key, name, owner, notReady string) routes.StoredRecord {
		return routes.StoredRecord{Record: route.Record{Target: &route.Target{
			Key: route.TargetKey{Address: of, Namespace: "shop", Name: name}, Owner: owner, NotReady: notReady,
		}}}
	}
	subscription := target(channel, "uid", "controller", "")
	subscription.Target.Name = "sub"
	ended := target(broker, "ended", "apply", "")
	ended.DeletedAt = &time.Time{}
	records := []routes.StoredRecord{
		{Record: route.Record{Address: &route.Address{Key: broker, Owner: "run", Refuse: manifest.InNoFile}}},
		{Record: route.Record{Address: &route.Address{Key: channel, Owner: "apply"}}},
		target(broker, "kept", "run", manifest.InNoFile),
		target(broker, "served", "run", ""),
		target(broker, "unresolved", "run", "no URL"),
		target(other, "moved", "run", ""), target(broker, "moved", "run", manifest.InNoFile),
		subscription, ended,
	}
	for _, test := range []struct {
		kind, namespace, name string
		owner, key            string // of what is found
		wrong                 string // why nothing is
	}{
		{"broker", "shop", "b", "run", "broker shop/b", ""},
		{"Brokers", "shop", "b", "run", "broker shop/b", ""},
		{"channel", "shop", "c", "apply", "channel shop/c", ""},
		{"trigger", "shop", "kept", "run", "trigger shop/kept of broker shop/b", ""},
		{"trigger", "shop", "moved", "run", "trigger shop/moved of broker shop/b", ""},
		{"trigger", "shop", "served", "", "", `it is served for the owner "run"`},
		{"trigger", "shop", "unresolved", "", "", `it is served for the owner "run"`},
		{"subscription", "shop", "sub", "", "", `it is served for the owner "controller"`},
		{"subscription", "shop", "uid", "", "", "there is no subscription shop/uid"},
		{"trigger", "shop", "ended", "", "", "there is no trigger shop/ended"},
		{"trigger", "default", "kept", "", "", "there is no trigger default/kept"},
		{"service", "shop", "kept", "", "", "it is broker, trigger, channel or subscription"},
	} {
		t.Run(test.kind+" "+test.namespace+"/"+test.name, func(t *testing.T) {
			n, err := askedFor(test.kind, test.namespace, test.name)
			var found ownedRoutes
			if err == nil {
				found, err = n.among(records, "apply")
			}
			if test.wrong != "" {
				if err == nil || !strings.Contains(err.Error(), test.wrong) {
					t.Errorf("error %v, want %q", err, test.wrong)
				}
				return
			}
			key := ""
			for _, a := range found.routes.Addresses {
				key += a.Key.String()
			}
			for _, r := range found.routes.Targets {
				key += r.Key.String()
			}
			if err != nil || found.owner != test.owner || key != test.key {
				t.Errorf("found %q of %q, %v; want %q of %q", key, found.owner, err, test.key, test.owner)
			}
		})
	}
}
