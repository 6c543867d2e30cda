package e2e

import (
	"maps"
	"slices"
	"strings"
	"testing"
)

// TestFilters gives one Broker a Trigger for each filter dialect, and looks at which Triggers get which event.
func TestFilters(t *testing.T) {
	s := subscribe(t, nil)
	b := brokerOf("default", "")
	filters := map[string]string{
		"everything":  `filters: []`,
		"attributes":  `filter: {attributes: {type: com.example.order, region: eu}}`,
		"any-value":   `filter: {attributes: {type: "", region: ""}}`,
		"exact":       `filters: [{exact: {type: com.example.order}}]`,
		"exact-two":   `filters: [{exact: {type: com.example.order, source: /shop/us}}]`,
		"prefix":      `filters: [{prefix: {type: com.example.}}]`,
		"prefix-half": `filters: [{prefix: {type: com.exam}}]`,
		"suffix":      `filters: [{suffix: {source: /eu}}]`,
		"all":         `filters: [{all: [{prefix: {type: com.}}, {suffix: {type: .order}}]}]`,
		"any":         `filters: [{any: [{exact: {type: com.example.order}}, {exact: {type: com.example.refund}}]}]`,
		"not":         `filters: [{not: {exact: {type: com.example.order}}}]`,
		"cesql":       `filters: [{cesql: "region = 'eu' AND amount > 100"}]`,
		"cesql-like":  `filters: [{cesql: "EXISTS region OR source LIKE '%/us'"}]`,
		"cesql-or":    `filters: [{cesql: "(region = 'us') OR (type = 'com.example.order')"}]`,
		"two":         `filters: [{prefix: {type: com.example.}}, {suffix: {source: /us}}]`,
		"nested":      `filters: [{any: [{all: [{prefix: {type: com.}}, {not: {suffix: {source: /eu}}}]}, {cesql: "amount = 7"}]}]`,
		"filters-win": `filter: {attributes: {type: nothing}}, filters: [{exact: {type: com.example.refund}}]`,
	}
	resources := []resource{b}
	for _, name := range slices.Sorted(maps.Keys(filters)) {
		resources = append(resources, triggerOf(b, name, s.URL+"/"+name, filters[name]))
	}
	l := startLaptop(t, manifest(resources...))

	cases := []struct {
		name, eventType string
		more            []string
		want            string
	}{
		{"order-eu", "com.example.order", []string{"ce-source", "/shop/eu", "ce-region", "eu", "ce-amount", "150"},
			"everything attributes any-value exact prefix prefix-half suffix all any cesql cesql-like cesql-or"},
		{"order-us", "com.example.order", []string{"ce-source", "/shop/us", "ce-amount", "150"},
			"everything exact exact-two prefix prefix-half all any cesql-like cesql-or two nested"},
		{"refund", "com.example.refund", []string{"ce-source", "/shop/eu", "ce-region", "eu", "ce-amount", "7"},
			"everything any-value prefix prefix-half suffix any not cesql-like nested filters-win"},
		{"other", "com.examples", nil, "everything prefix-half not nested"},
		{"case", "COM.example.ORDER", nil, "everything not"},
		{"no-number", "x", []string{"ce-region", "eu", "ce-amount", "many"}, "everything any-value not cesql-like"},
	}
	for _, c := range cases {
		l.accepts(t, "/default/default", event(c.eventType, c.name, c.more...), nil)
	}
	s.gets(t, "/everything", len(cases))
	l.drained(t)
	for _, c := range cases {
		got := map[string]int{}
		for name := range filters {
			if n := len(s.of("/"+name, c.name)); n > 0 {
				got[name] = n
			}
		}
		want := map[string]int{}
		for _, name := range strings.Fields(c.want) {
			want[name] = 1
		}
		if !maps.Equal(got, want) {
			t.Errorf("%s is delivered to %v, want %v", c.name, got, want)
		}
	}
}
