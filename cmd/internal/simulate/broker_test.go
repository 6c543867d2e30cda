package simulate

import (
	"context"
	"log/slog"
	"net"
	"reflect"
	"time"

	"github.com/eventing-jetstream/eventing-jetstream/cmd/internal/dataplane"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/deliver"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/delivery"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/filter"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/owner"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/status"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/route"
)

// What the simulation uses of the broker's own API is in this file.

const (
	// ownerName signs the records: an owner that comes back, and a second one, go on with them.
	ownerName = "simulator"
	// observerName is the simulation's own connection.
	observerName = "observer"
	ingressName  = "ingress"
	// reconcileEvery is how often an owner compares the records with what is wanted, as
	// kn-jetstream run does.
	reconcileEvery = 2 * time.Second
	sweepEvery     = 10 * time.Second
	putTimeout     = 20 * time.Second
)

func (w *world) connect(name string) (*jetstream.Client, *wires) {
	lines := &wires{name: name, delay: w.plan.latency, unlinked: name == observerName}
	client, err := jetstream.Connect(jetstream.Options{
		InProcess: provider{w, lines}, Name: name, Names: w.names, Logger: slog.New(slog.DiscardHandler),
	})
	w.must(err)
	w.must(client.Wait(context.Background()))
	return client, lines
}

func (w *world) startFilter(name string) *process {
	client, lines := w.connect(name)
	f, err := dataplane.NewFilter(dataplane.FilterConfig{
		Client: client, Logger: slog.New(slog.DiscardHandler), Budget: w.plan.budget, ID: name,
		Deliver: deliver.Config{Dial: func(ctx context.Context, _, address string) (net.Conn, error) {
			return lines.add(w.host(address).dial(ctx, name))
		}},
	})
	w.must(err)
	return run(process{name: name, wires: lines, again: w.startFilter}, client.Close, f.Drain, f.Run)
}

func (w *world) startIngress(name string) *process {
	client, lines := w.connect(name)
	i, err := dataplane.NewIngress(dataplane.IngressConfig{
		Client: client, URL: "http://ingress", Budget: 64 << 20, Logger: slog.New(slog.DiscardHandler), ID: name,
	})
	w.must(err)
	l := newListener()
	w.listen("ingress:80", l)
	s := dataplane.NewServer(i, l)
	go func() { _ = s.Serve() }()
	return run(process{name: name, wires: lines, again: w.startIngress}, client.Close, s.Drain, i.Run)
}

func (w *world) startOwner(name string) *process {
	client, lines := w.connect(name)
	routes := owner.New(client, ownerName, w.plan.grace)
	return run(process{name: name, wires: lines, again: w.startOwner}, client.Close, func(context.Context) {},
		func(ctx context.Context) { routes.RunSweeps(ctx, sweepEvery) },
		func(ctx context.Context) {
			written := map[route.TargetKey]time.Time{}
			for ctx.Err() == nil {
				w.reconcile(ctx, routes, written)
				rest(ctx, reconcileEvery)
			}
		})
}

// reconcile brings the records of the owner to what is wanted. What fails is tried again. A record that is missing although
// the owner has written it is noticed at the next resync.
func (w *world) reconcile(ctx context.Context, routes *owner.Owner, written map[route.TargetKey]time.Time) {
	ctx, cancel := context.WithTimeout(ctx, putTimeout)
	defer cancel()
	live, err := routes.Owned(ctx)
	if err != nil {
		return
	}
	addresses, targets := map[route.Key]bool{}, map[route.TargetKey]route.Target{}
	for _, r := range live {
		if r.Address != nil {
			addresses[r.Address.Key] = true
		} else {
			targets[r.Target.Key] = *r.Target
		}
	}
	for _, key := range w.plan.addresses {
		if !addresses[key] {
			_, _ = routes.PutAddress(ctx, route.Address{Key: key, Log: route.Log{MaxBytes: w.plan.logBytes}})
		}
	}
	for _, t := range w.targets {
		have, there := targets[t.key]
		w.change(t, func(v version) {
			switch want := w.record(t, v); {
			case v.ended && there:
				_ = routes.RemoveTarget(ctx, t.key)
			case !v.ended && !(there && sameContent(have, want)):
				if at, was := written[t.key]; was && at.Equal(v.begun) && time.Since(w.history.began)%w.plan.resync >= reconcileEvery {
					return
				}
				if _, err := routes.PutTarget(ctx, want); err == nil {
					written[t.key] = v.begun
				}
			}
		})
	}
}

// record is what the owner writes for a version of a target.
func (w *world) record(t *target, v version) route.Target {
	r := route.Target{
		Key: t.key, MaxInFlight: t.inFlight,
		Subscriber: &route.Destination{URL: "http://" + t.name + v.path},
		DeadLetter: &route.Destination{URL: "http://dead-" + t.name + "/"},
		Delivery: delivery.Policy{
			Retry: t.retry, Backoff: delivery.ExponentialBackoff, Delay: t.delay, Timeout: subscriberTimeout,
		},
	}
	if t.keeps {
		r.DeadLetter = nil
	}
	if t.key.Address.Kind == route.KindChannel {
		r.Reply = &route.Destination{URL: "http://reply-" + t.name + "/"}
		return r
	}
	if w.planted != "filter ignored" {
		r.Filter = v.filter
	}
	return r
}

// sameContent leaves out what the owner chooses.
func sameContent(a, b route.Target) bool {
	return reflect.DeepEqual(a.Filter, b.Filter) && reflect.DeepEqual(a.Subscriber, b.Subscriber)
}

// observe notes which versions of the targets are ready.
func (w *world) observe(client *jetstream.Client) {
	wanted := w.unready()
	if len(wanted) == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), putTimeout)
	defer cancel()
	all, err := status.Read(ctx, client)
	if err != nil {
		return
	}
	is := map[route.TargetKey]status.TargetStatus{}
	for _, t := range all.Targets {
		is[t.Key] = t
	}
	for t, v := range wanted {
		s, there := is[t.key]
		if v.ended && !there || !v.ended && there && s.Ready && sameContent(s.Target, w.record(t, v)) {
			w.isReady(t, v)
		}
	}
}

// left says what the broker still keeps although everything is settled; "" when there is nothing.
func (w *world) left(client *jetstream.Client) string {
	ctx, cancel := context.WithTimeout(context.Background(), putTimeout)
	defer cancel()
	all, err := status.Read(ctx, client)
	if err != nil {
		return err.Error()
	}
	has := map[route.Key]bool{}
	for _, t := range all.Targets {
		has[t.Key.Address] = true
		if !t.Ready {
			return t.Key.String() + " is not ready: " + t.Reason
		}
		if t.Backlog > 0 {
			return t.Key.String() + " has a backlog"
		}
	}
	for _, a := range all.Addresses {
		if a.Events > 0 && has[a.Key] { // without a target it keeps them for one that may come back
			return a.Key.String() + " has events in its log"
		}
	}
	return ""
}

// all takes every event, exact and the others those of one type.
func all() filter.Spec { return filter.Spec{} }

func exact(kind string) filter.Spec { return filter.Spec{Attributes: map[string]string{"type": kind}} }

func anyOf(kinds ...string) filter.Spec {
	var any []filter.Expression
	for _, kind := range kinds {
		any = append(any, filter.Expression{Exact: map[string]string{"type": kind}})
	}
	return filter.Spec{Filters: []filter.Expression{{Any: any}}}
}

func starts(prefix string) filter.Spec {
	return filter.Spec{Filters: []filter.Expression{{Prefix: map[string]string{"type": prefix}}}}
}

func not(kind string) filter.Spec {
	return filter.Spec{Filters: []filter.Expression{{Not: &filter.Expression{Exact: map[string]string{"type": kind}}}}}
}

func cesql(expression string) filter.Spec {
	return filter.Spec{Filters: []filter.Expression{{CESQL: expression}}}
}
