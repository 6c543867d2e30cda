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

func TestSubjects(t *testing.T) {
	const log = "kn.e.broker.default.orders."
	names, err := naming.New(naming.DefaultPrefix)
	if err != nil {
		t.Fatal(err)
	}
	address := names.Subjects(route.Key{Kind: route.KindBroker, Namespace: "default", Name: "orders"})
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
		{"any: overlapping", filters(anyOf(created, com, prefix("type", "com.x."))), []string{"com.>"}},
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
		{"nested", filters(anyOf(allOf(com, sql("x = 1")), allOf(exact("source", "/s"), anyOf(net, deleted)))), []string{"com.>", "net.>"}},
		{"ten", filters(typesOf("com.t%d", 10)), []string{
			"com.t0", "com.t1", "com.t2", "com.t3", "com.t4", "com.t5", "com.t6", "com.t7", "com.t8", "com.t9"}},
		{"eleven have their parent", filters(typesOf("com.t%d", 11)), []string{"com.>"}},
		{"eleven and one elsewhere", filters(anyOf(typesOf("com.x.t%d", 11), exact("type", "net.y"))), []string{"com.x.>", "net.y"}},
		{"eleven without a parent", filters(typesOf("t%d", 11)), nil},
		{"a thousand", filters(typesOf("com.x.t%d", 1000)), []string{"com.x.>"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			var got []string
			for _, subject := range filter.Subjects(test.spec, address) {
				got = append(got, strings.TrimPrefix(subject, log))
			}
			if !slices.Equal(got, test.want) {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

// flatNames has subjects without a common parent.
type flatNames struct{}

func (flatNames) EventSubject(eventType string) string { return eventType }
func (flatNames) TypePrefixSubject(string) string      { return ">" }

func TestSubjectsWithoutParent(t *testing.T) {
	if got := filter.Subjects(filters(typesOf("t%d", 11)), flatNames{}); len(got) > 0 {
		t.Errorf("got %q, want the whole log", got)
	}
}
