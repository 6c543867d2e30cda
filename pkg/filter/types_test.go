package filter_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/filter"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/naming"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/route"
)

func typesOf(format string, count int) filter.Expression {
	var parts []filter.Expression
	for i := range count {
		parts = append(parts, exact("type", fmt.Sprintf(format, i)))
	}
	return anyOf(parts...)
}

func manyTypes(format string, count int) []string {
	var names []string
	for i := range count {
		names = append(names, fmt.Sprintf(format, i))
	}
	return names
}

func TestSubjects(t *testing.T) {
	const log = "kn.e.broker.default.orders."
	names, err := naming.New(naming.DefaultPrefix)
	if err != nil {
		t.Fatal(err)
	}
	orders := route.Key{Kind: route.KindBroker, Namespace: "default", Name: "orders"}
	com, net := prefix("type", "com."), prefix("type", "net.")
	created, deleted := exact("type", "com.x.created"), exact("type", "com.x.deleted")
	for _, test := range []struct {
		name string
		spec filter.Spec
		// want is what follows the log's own tokens; empty is the whole log.
		want []string
	}{
		{"no filter", filter.Spec{}, nil},
		{"attributes", filter.Spec{Attributes: map[string]string{"type": "com.x", "source": "/s"}}, []string{"com.x"}},
		{"attributes: any type", filter.Spec{Attributes: one("type", "")}, nil},
		{"attributes without a type", filter.Spec{Attributes: one("source", "/s")}, nil},
		{"filters go before attributes", filter.Spec{Attributes: one("type", "x"), Filters: []filter.Expression{created}}, []string{"com.x.created"}},
		{"exact", filters(created), []string{"com.x.created"}},
		{"exact that is skipped", filters(filter.Expression{Exact: map[string]string{"type": "x", "y": ""}}), nil},
		{"exact source", filters(exact("source", "/s")), nil},
		{"prefix at a dot", filters(com), []string{"com.>"}},
		{"prefix within a token", filters(prefix("type", "com.exa")), []string{"com.>"}},
		{"prefix without a dot", filters(prefix("type", "com")), nil},
		{"suffix", filters(suffix("type", ".created")), nil},
		{"not", filters(not(created)), nil},
		{"cesql", filters(sql("type = 'com.x'")), nil},
		{"any", filters(anyOf(deleted, created)), []string{"com.x.created", "com.x.deleted"}},
		{"any: overlapping", filters(anyOf(created, com, prefix("type", "com.x."))), []string{"com.>", "com.x.>", "com.x.created"}},
		{"any: a type and what is below it", filters(anyOf(exact("type", "com.x"), prefix("type", "com.x."))), []string{"com.x", "com.x.>"}},
		{"any: with one for all", filters(anyOf(created, sql("TRUE"))), nil},
		{"any: a skipped one", filters(anyOf(created, exact("x", ""))), []string{"com.x.created"}},
		{"any: a silent one", filters(anyOf(created, not(exact("x", "")))), nil},
		{"all: the narrower", filters(com, created, suffix("type", "d")), []string{"com.x.created"}},
		{"all: the narrower, other order", filters(allOf(created, com)), []string{"com.x.created"}},
		{"all: one restricts", filters(exact("source", "/s"), com), []string{"com.>"}},
		{"all: what two lists share", filters(anyOf(created, com, net), anyOf(net, deleted)), []string{"com.x.deleted", "net.>"}},
		{"all: a list cut by a prefix", filters(anyOf(created, net), com), []string{"com.x.created"}},
		{"all: never", filters(created, deleted), []string{"com.x.created"}},
		{"nested", filters(anyOf(allOf(com, sql("x = 1")), allOf(exact("source", "/s"), anyOf(net, deleted)))), []string{"com.>", "com.x.deleted", "net.>"}},
		{"prefixes that are one subject", filters(anyOf(prefix("type", "com.a"), prefix("type", "com.b"))), []string{"com.>"}},
		{"what a prefix within a token shares", filters(anyOf(prefix("type", "com.x.c"), net), anyOf(created, deleted)), []string{"com.x.created"}},
		{"many", filters(typesOf("com.t%03d", 100)), manyTypes("com.t%03d", 100)},
		{"too many together", filters(anyOf(prefix("type", "com.a."), typesOf("com.b.t%03d", 99)), anyOf(prefix("type", "com.b."), typesOf("com.a.t%03d", 99))),
			append([]string{"com.a.>"}, manyTypes("com.b.t%03d", 99)...)},
		{"too many", filters(typesOf("com.t%d", 101)), nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			var got []string
			for _, subject := range names.Subjects(route.Target{Key: route.TargetKey{Address: orders}, Filter: test.spec}) {
				got = append(got, strings.TrimPrefix(subject, log))
			}
			if !slices.Equal(got, test.want) {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}
