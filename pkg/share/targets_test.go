package share_test

import (
	"github.com/eventing-jetstream/eventing-jetstream/pkg/event"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/filter"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/route"
)

// target takes every event.
func target(name string) route.Target {
	return route.Target{Key: keyOf(name), Consumer: "shared"}
}

func targets(names ...string) []route.Target {
	var all []route.Target
	for _, name := range names {
		all = append(all, target(name))
	}
	return all
}

func with(name string, f filter.Spec) route.Target {
	t := target(name)
	t.Filter = f
	return t
}

func ofType(eventType string) filter.Spec {
	return filter.Spec{Attributes: map[string]string{event.Type: eventType}}
}

func ofEither(one, other string) filter.Spec {
	return filter.Spec{Filters: []filter.Expression{{Any: []filter.Expression{
		{Exact: map[string]string{event.Type: one}}, {Exact: map[string]string{event.Type: other}},
	}}}}
}

func typeBegins(prefix string) filter.Spec {
	return filter.Spec{Filters: []filter.Expression{{Prefix: map[string]string{event.Type: prefix}}}}
}

func typeEnds(suffix string) filter.Spec {
	return filter.Spec{Filters: []filter.Expression{{Suffix: map[string]string{event.Type: suffix}}}}
}

func notReady(t route.Target) route.Target {
	t.NotReady = "its subscriber is not resolved"
	return t
}
