package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/handles"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/routes"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/manifest"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/route"
)

// named is a resource as the arguments of a command name it.
type named struct {
	// kind is broker, trigger, channel or subscription.
	kind, namespace, name string
}

func (n named) String() string { return n.kind + " " + n.namespace + "/" + n.name }

// path is the name in one word.
func (n named) path() string { return n.kind + "/" + n.namespace + "/" + n.name }

// deleteCommand is what deletes the resource.
func (n named) deleteCommand() string {
	return "kn-jetstream delete " + n.kind + " " + n.name + " -n " + n.namespace
}

// route says which route it is.
func (n named) route() handles.Named {
	of := route.KindBroker
	if n.kind == "channel" || n.kind == "subscription" {
		of = route.KindChannel
	}
	return handles.Named{Of: of, Target: n.kind == "trigger" || n.kind == "subscription", Namespace: n.namespace, Name: n.name}
}

// find returns the live route.
func (n named) find(ctx context.Context, client *jetstream.Client) (route.Record, error) {
	found, err := handles.New(client).Find(ctx, n.route())
	if err != nil {
		return route.Record{}, fmt.Errorf("%s: %w", n, err)
	}
	return found, nil
}

// askedFor reads the kind in the singular and in the plural.
func askedFor(kind, namespace, name string) (named, error) {
	n := named{strings.TrimSuffix(strings.ToLower(kind), "s"), namespace, name}
	switch n.kind {
	case "broker", "trigger", "channel", "subscription":
		return n, nil
	}
	return n, fmt.Errorf("there is no kind %q; it is broker, trigger, channel or subscription", kind)
}

func nameOfAddress(a route.Address) named {
	return named{string(a.Key.Kind), a.Key.Namespace, a.Key.Name}
}

func nameOfTarget(t route.Target) named {
	kind := "trigger"
	if t.Key.Address.Kind == route.KindChannel {
		kind = "subscription"
	}
	return named{kind, t.Key.Namespace, t.DisplayName()}
}

func nameOf(r route.Record) named {
	if r.Address != nil {
		return nameOfAddress(*r.Address)
	}
	return nameOfTarget(*r.Target)
}

// inNoFile reports whether the route is kept from an earlier kn-jetstream run, and not served.
func inNoFile(r route.Record) bool {
	if r.Address != nil {
		return r.Address.Refuse == manifest.InNoFile
	}
	return r.Target.NotReady == manifest.InNoFile
}

// ownedRoutes are routes of one owner.
type ownedRoutes struct {
	owner  string
	routes manifest.Desired
}

// among finds the route of the owner, or else one that is in no file, whoever's it is: no file brings that back.
func (n named) among(records []routes.StoredRecord, owner string) (ownedRoutes, error) {
	var found *routes.StoredRecord
	for i, r := range records {
		if r.DeletedAt != nil || nameOf(r.Record) != n {
			continue
		}
		if found = &records[i]; r.Owner() == owner || inNoFile(r.Record) {
			break
		}
	}
	if found == nil {
		return ownedRoutes{}, fmt.Errorf("there is no %s", n)
	}
	if found.Owner() != owner && !inNoFile(found.Record) {
		return ownedRoutes{}, fmt.Errorf("%s is not deleted: it is served for the owner %q, whose files name it; remove it there", n, found.Owner())
	}
	if found.Address != nil {
		return ownedRoutes{found.Owner(), manifest.Desired{Addresses: []route.Address{*found.Address}}}, nil
	}
	return ownedRoutes{found.Owner(), manifest.Desired{Targets: []route.Target{*found.Target}}}, nil
}
