package filter_test

import (
	"context"
	"testing"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/filter"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/naming"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/route"
)

// BenchmarkMatch evaluates the same filters on the same event with this package and with upstream's. Upstream's events are read before the
// clock starts.
func BenchmarkMatch(b *testing.B) {
	e := newEvent("source", "https://example.com/shop/orders", "subject", "order/42", "datacontenttype", "application/json", "x", "10")
	read, err := upstreamEvent(e)
	if err != nil {
		b.Fatal(err)
	}
	for _, bench := range []struct {
		name string
		spec filter.Spec
	}{
		{"attributes", filter.Spec{Attributes: one("type", "com.example.created")}},
		{"exact", filters(exact("type", "com.example.created"))},
		{"prefix", filters(prefix("source", "https://example.com/"))},
		{"suffix", filters(suffix("subject", "/42"))},
		{"all", filters(allOf(prefix("type", "com.example."), suffix("subject", "42"), exact("x", "10")))},
		{"any", filters(anyOf(exact("type", "a"), exact("type", "b"), exact("type", "com.example.created")))},
		{"not", filters(not(exact("x", "11")))},
		{"cesql", filters(sql("type LIKE 'com.%' AND x > 5"))},
	} {
		b.Run(bench.name+"/ours", func(b *testing.B) {
			m := compile(b, bench.spec)
			b.ReportAllocs()
			for b.Loop() {
				if !m.Match(e) {
					b.Fatal("no match")
				}
			}
		})
		b.Run(bench.name+"/upstream", func(b *testing.B) {
			f := upstreamFilter(bench.spec)
			defer cleanUp(f)
			ctx := context.Background()
			b.ReportAllocs()
			for b.Loop() {
				f.Filter(ctx, read)
			}
		})
	}
}

// BenchmarkSubjects is the push-down of a filter into subjects, once for each change of a Trigger.
func BenchmarkSubjects(b *testing.B) {
	names, err := naming.New(naming.DefaultPrefix)
	if err != nil {
		b.Fatal(err)
	}
	orders := route.TargetKey{Address: route.Key{Kind: route.KindBroker, Namespace: "default", Name: "orders"}}
	for _, bench := range []struct {
		name string
		spec filter.Spec
	}{
		{"exact", filters(exact("type", "com.example.created"))},
		{"all", filters(allOf(prefix("type", "com.example."), suffix("subject", "42")))},
		{"any of ten", filters(typesOf("com.example.t%d", 10))},
		{"any of a hundred", filters(typesOf("com.example.t%d", 100))},
		{"cesql", filters(sql("type LIKE 'com.%'"))},
	} {
		b.Run(bench.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				names.Subjects(route.Target{Key: orders, Filter: bench.spec})
			}
		})
	}
}
