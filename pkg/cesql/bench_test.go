package cesql_test

import "testing"

// usual are expressions as Triggers have them; each matches the event of usualAttributes.
var usual = map[string]string{
	"equal":    "type = 'com.example.created'",
	"like":     "type LIKE 'com.%' AND x > 5",
	"contains": "source LIKE '%/shop/%' OR (EXISTS priority AND priority = 'high')",
	"in":       "type IN ('com.example.updated', 'com.example.deleted', 'com.example.created')",
	"missing":  "(env = 'prod') OR (type = 'com.example.created')",
	"number":   "INT(x) * 2 >= 20 AND LENGTH(subject) < 10 AND LEFT(subject, 5) = 'order'",
	"any":      "subject LIKE '%order/4_%' AND NOT (type LIKE '%.deleted')",
}

func usualAttributes() []string {
	return []string{"specversion", "1.0", "id", "1", "source", "https://example.com/shop/orders", "type", "com.example.created",
		"subject", "order/42", "datacontenttype", "application/json", "x", "10"}
}

func BenchmarkMatches(b *testing.B) {
	with := attributes(usualAttributes()...)
	for name, expression := range usual {
		b.Run(name, func(b *testing.B) {
			x := compile(b, expression)
			b.ReportAllocs()
			for b.Loop() {
				if !x.Matches(with) {
					b.Fatal("no match")
				}
			}
		})
	}
}

func BenchmarkCompile(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		compile(b, usual["contains"])
	}
}

// TestMatchesAllocatesNothing checks that evaluating costs no allocation per event.
func TestMatchesAllocatesNothing(t *testing.T) {
	with := attributes(usualAttributes()...)
	for name, expression := range usual {
		x := compile(t, expression)
		if allocations := testing.AllocsPerRun(100, func() {
			if !x.Matches(with) {
				t.Error("no match")
			}
		}); allocations != 0 {
			t.Errorf("%s: %v allocations", name, allocations)
		}
	}
}
