package filter_test

import (
	"errors"
	"strings"
	"sync"
	"testing"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/event"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/filter"
)

// one is a map of one attribute, and filters a spec of these expressions.
func one(name, value string) map[string]string { return map[string]string{name: value} }

func filters(expressions ...filter.Expression) filter.Spec {
	return filter.Spec{Filters: expressions}
}

func exact(name, value string) filter.Expression { return filter.Expression{Exact: one(name, value)} }

func prefix(name, value string) filter.Expression { return filter.Expression{Prefix: one(name, value)} }

func suffix(name, value string) filter.Expression { return filter.Expression{Suffix: one(name, value)} }

func sql(text string) filter.Expression { return filter.Expression{CESQL: text} }

func allOf(parts ...filter.Expression) filter.Expression { return filter.Expression{All: parts} }

func anyOf(parts ...filter.Expression) filter.Expression { return filter.Expression{Any: parts} }

func not(part filter.Expression) filter.Expression { return filter.Expression{Not: &part} }

// semantics are rows to read; each is also held against upstream.
var semantics = []struct {
	name  string
	spec  filter.Spec
	event event.Event
	want  bool
}{
	{"no filter takes everything", filter.Spec{}, newEvent(), true},
	{"attributes compare", filter.Spec{Attributes: one("type", "com.example.created")}, newEvent(), true},
	{"attributes are whole", filter.Spec{Attributes: one("type", "com.example")}, newEvent(), false},
	{"attributes: every one must match", filter.Spec{Attributes: map[string]string{"type": "com.example.created", "x": "1"}}, newEvent(), false},
	{"attributes: empty means any value", filter.Spec{Attributes: one("x", "")}, newEvent("x", "1"), true},
	{"attributes: empty wants the extension", filter.Spec{Attributes: one("x", "")}, newEvent(), false},
	{"attributes: empty wants the subject", filter.Spec{Attributes: one("subject", "")}, newEvent(), false},
	{"attributes: empty and an empty extension", filter.Spec{Attributes: one("x", "")}, newEvent("x", ""), false},
	{"attributes: empty and a time", filter.Spec{Attributes: one("time", "")}, newEvent("time", "2024-01-01T00:00:00Z"), true},
	{"attributes: no map", filter.Spec{Attributes: map[string]string{}}, newEvent(), true},
	{"filters go before attributes", filter.Spec{Attributes: one("type", "x"), Filters: []filter.Expression{exact("source", "/shop")}}, newEvent(), true},
	{"filters must all match", filters(exact("source", "/shop"), exact("type", "x")), newEvent(), false},
	{"exact", filters(exact("type", "com.example.created")), newEvent(), true},
	{"exact: the case counts", filters(exact("type", "COM.example.created")), newEvent(), false},
	{"exact: missing extension", filters(exact("x", "1")), newEvent(), false},
	{"exact: integer as text", filters(exact("x", "1")), newEvent("x", "1"), true},
	{"exact: boolean as text", filters(exact("x", "true")), newEvent("x", "TRUE"), false},
	{"exact: an empty value is skipped", filters(exact("x", "")), newEvent(), true},
	{"exact: one empty value skips all", filters(filter.Expression{Exact: map[string]string{"type": "x", "y": ""}}), newEvent(), true},
	{"exact: a source as it prints", filters(exact("source", "http://Example.com/a%20b")), newEvent("source", "HTTP://Example.com/a b"), true},
	{"exact: a source as it came", filters(exact("source", "/a b")), newEvent("source", "/a b"), true},
	{"exact: a scheme in capitals as it came", filters(exact("source", "URN:isbn:1")), newEvent("source", "URN:isbn:1"), true},
	{"exact: another source in capitals", filters(exact("source", "URN:isbn:1")), newEvent("source", "URN:isbn:2"), false},
	{"exact: a source that prints as nothing is not passed over", filters(exact("source", "//")), newEvent("source", "/a"), false},
	{"exact: a time as it came", filters(exact("time", "2024-01-01T00:00:00.500Z")), newEvent("time", "2024-01-01T00:00:00.500Z"), true},
	{"attributes: a source as it came", filter.Spec{Attributes: one("source", "/a b")}, newEvent("source", "/a b"), true},
	{"exact: a time as it prints", filters(exact("time", "2024-01-01T00:00:00Z")), newEvent("time", "2024-01-01T00:00:00+00:00"), true},
	{"exact: a time keeps its zone", filters(exact("time", "2024-01-01T01:00:00+01:00")), newEvent("time", "2024-01-01T01:00:00.0+01:00"), true},
	{"exact: the zero time", filters(exact("time", "0001-01-01T00:00:00Z")), newEvent("time", "0001-01-01T00:00:00Z"), true},
	{"exact: not of a missing time", filters(not(exact("time", "2024-01-01T00:00:00Z"))), newEvent(), true},
	{"prefix: missing time", filters(prefix("time", "2024")), newEvent(), false},
	{"exact: content type", filters(exact("datacontenttype", "text/plain")), newEvent("datacontenttype", "text/plain; charset=utf-8"), false},
	{"exact: media type", filters(exact("datamediatype", "text/plain")), newEvent("datacontenttype", "text/plain ; charset=utf-8"), true},
	{"exact: spec version", filters(exact("specversion", "0.3")), newEvent("specversion", "0.3"), true},
	{"exact: 0.3's schema by the new name", filters(exact("dataschema", "/s")), newEvent("specversion", "0.3", "schemaurl", "/s"), true},
	{"exact: 0.3's schema by the old name", filters(exact("schemaurl", "/s")), newEvent("specversion", "0.3", "schemaurl", "/s"), true},
	{"exact: 1.0's schema by the old name", filters(exact("schemaurl", "urn:s")), newEvent("dataschema", "urn:s"), true},
	{"exact: schemaurl is no schema of 1.0", filters(exact("schemaurl", "urn:s")), newEvent("schemaurl", "urn:s"), false},
	{"exact: encoding is unknown to 1.0", filters(exact("datacontentencoding", "base64")), newEvent("datacontentencoding", "base64"), false},
	{"the hop count is hidden", filters(exact("knativebrokerttl", "10")), newEvent("knativebrokerttl", "10"), false},
	{"the arrival time is not", filters(prefix("knativearrivaltime", "2024")), newEvent("knativearrivaltime", "2024-01-01T00:00:00Z"), true},
	{"prefix", filters(prefix("type", "com.ex")), newEvent(), true},
	{"prefix: missing", filters(prefix("subject", "a")), newEvent(), false},
	{"prefix: a source as it came", filters(prefix("source", "/a b")), newEvent("source", "/a b/c"), true},
	{"prefix: a source as it prints", filters(prefix("source", "/a%20b")), newEvent("source", "/a b/c"), true},
	{"suffix", filters(suffix("type", ".created")), newEvent(), true},
	{"suffix: a time as it came", filters(suffix("time", ".500Z")), newEvent("time", "2024-01-01T00:00:00.500Z"), true},
	{"suffix: several", filters(filter.Expression{Suffix: map[string]string{"type": "created", "source": "x"}}), newEvent(), false},
	{"all", filters(allOf(prefix("type", "com."), suffix("type", "created"))), newEvent(), true},
	{"all of skipped ones", filters(allOf(exact("x", ""))), newEvent(), true},
	{"any: the second", filters(anyOf(exact("type", "x"), exact("source", "/shop"))), newEvent(), true},
	{"any: none", filters(anyOf(exact("type", "x"), exact("type", "y"))), newEvent(), false},
	{"any: a skipped one does not count", filters(anyOf(exact("type", "x"), exact("x", ""))), newEvent(), false},
	{"any: a silent last one lets pass", filters(anyOf(exact("type", "x"), not(exact("x", "")))), newEvent(), true},
	{"not", filters(not(exact("type", "x"))), newEvent(), true},
	{"not not", filters(not(not(exact("type", "x")))), newEvent(), false},
	{"not of a missing attribute", filters(not(exact("x", "1"))), newEvent(), true},
	{"not of what is skipped", filters(not(exact("x", ""))), newEvent(), true},
	{"an expression without a dialect", filters(filter.Expression{}), newEvent(), true},
	{"cesql", filters(sql("type LIKE 'com.%' AND source = '/shop'")), newEvent(), true},
	{"cesql: false", filters(sql("type = 'x'")), newEvent(), false},
	{"cesql: extensions are cast", filters(sql("x > 5")), newEvent("x", "10"), true},
	{"cesql: a failed cast", filters(sql("x > 5 OR TRUE")), newEvent("x", "y"), false},
	{"cesql: a missing attribute", filters(sql("x = 'a' AND TRUE")), newEvent(), false},
	{"cesql: not of an error", filters(not(sql("x = 'a'"))), newEvent(), true},
	{"cesql: exists", filters(sql("NOT EXISTS x AND EXISTS type")), newEvent(), true},
	{"cesql: the hop count is hidden", filters(sql("EXISTS knativebrokerttl")), newEvent("knativebrokerttl", "10"), false},
	{"cesql: unknown function", filters(sql("UNKNOWN()")), newEvent(), false},
}

func TestSemantics(t *testing.T) {
	for _, test := range semantics {
		t.Run(test.name, func(t *testing.T) {
			if got := compile(t, test.spec).Match(test.event); got != test.want {
				t.Errorf("got %v, want %v", got, test.want)
			}
			read, err := upstreamEvent(test.event)
			if err != nil {
				t.Fatal(err)
			}
			if upstream, err := upstreamMatches(asUpstreamPrints(test.spec, test.event), read); err != nil || upstream != test.want {
				t.Errorf("upstream has %v and %v, want %v", upstream, err, test.want)
			}
		})
	}
}

// TestAMissingTimeMatchesNothing: upstream compares with Go's zero time.
func TestAMissingTimeMatchesNothing(t *testing.T) {
	const zero = "0001-01-01T00:00:00Z"
	for _, test := range []struct {
		name string
		spec filter.Spec
		want bool
	}{
		{"exact", filters(exact("time", zero)), false},
		{"prefix", filters(prefix("time", "0")), false},
		{"suffix", filters(suffix("time", "Z")), false},
		{"not", filters(not(suffix("time", "Z"))), true},
		{"any", filters(anyOf(prefix("time", "0"), prefix("type", "com"))), true},
		{"attributes", filter.Spec{Attributes: one("time", zero)}, false},
		{"attributes: any", filter.Spec{Attributes: one("time", "")}, false},
		{"cesql", filters(sql("time = '" + zero + "'")), false},
		{"cesql: not equal", filters(sql("time != '2024-01-01T00:00:00Z'")), false},
		{"cesql: like", filters(sql("time LIKE '%Z'")), false},
		{"cesql: exists", filters(sql("EXISTS time")), false},
	} {
		if got := compile(t, test.spec).Match(newEvent()); got != test.want {
			t.Errorf("%s: got %v, want %v", test.name, got, test.want)
		}
	}
}

// TestATimeThatGoDoesNotRead has what RFC 3339 allows, upstream refuses, and package event takes.
func TestATimeThatGoDoesNotRead(t *testing.T) {
	for _, time := range []string{"2024-01-01t00:00:00z", "2016-12-31T23:59:60Z"} {
		e := newEvent("time", time)
		for name, spec := range map[string]filter.Spec{
			"exact": filters(exact("time", time)), "prefix": filters(prefix("time", time[:11])), "suffix": filters(suffix("time", time[11:])),
			"attributes": {Attributes: one("time", time)}, "attributes: any": {Attributes: one("time", "")},
			"cesql": filters(sql("time = '" + time + "'")), "cesql: exists": filters(sql("EXISTS time")),
		} {
			if !compile(t, spec).Match(e) {
				t.Errorf("%s: %s does not match", time, name)
			}
		}
	}
	if !compile(t, filters(exact("time", "2024-01-01T00:00:00Z"))).Match(newEvent("time", "2024-01-01t00:00:00z")) {
		t.Error("a time in lower case does not match as it prints")
	}
}

// TestCESQLSeesTheVeryText of an attribute that Go prints otherwise.
func TestCESQLSeesTheVeryText(t *testing.T) {
	for _, test := range []struct{ name, value, expression string }{
		{"source", "URN:isbn:1", "source = 'URN:isbn:1'"},
		{"source", "/a b/c", "source LIKE '/a b/%' AND LENGTH(source) = 6"},
		{"source", "/a b", "source IN ('/x', '/a b')"},
		{"source", "/a b", "source != '/a%20b'"},
		{"source", "/größe", "RIGHT(source, 3) = 'öße'"},
		{"dataschema", "HTTP://Example.com/a", "dataschema = 'HTTP://Example.com/a'"},
		{"time", "2024-01-01T00:00:00.500Z", "time = '2024-01-01T00:00:00.500Z'"},
		{"time", "0001-01-01T00:00:00Z", "EXISTS time"},
	} {
		if !compile(t, filters(sql(test.expression))).Match(newEvent(test.name, test.value)) {
			t.Errorf("%s %q does not match %s", test.name, test.value, test.expression)
		}
	}
}

// TestCESQLWhereUpstreamIsWrong has filters of which upstream says the opposite; the SDK's faults have a list in package cesql.
func TestCESQLWhereUpstreamIsWrong(t *testing.T) {
	for _, test := range []struct {
		expression string
		event      event.Event
		want       bool
	}{
		{"(env = 'prod') OR (type = 'com.example.created')", newEvent(), true},
		{"((id = '1' OR type LIKE '%.success') AND (id = '2' OR source LIKE '/%')) AND (myext = 'x' OR id = '1')", newEvent(), true},
		{"NOT (env = 'prod')", newEvent(), true},
		{"type IN (env, 'com.example.created')", newEvent(), true},
		{"env OR type LIKE 'com.%'", newEvent(), true},
		{"subject LIKE 'dir/%'", newEvent("subject", "dir/%41bc"), true},
		{"subject LIKE '100\\%'", newEvent("subject", "100\\off"), false},
		{"LENGTH(subject) = 4", newEvent("subject", "größ"), true},
		{"LEFT(subject, 3) = 'grö'", newEvent("subject", "größ"), true},
		{"RIGHT(subject, 2) = 'öß'", newEvent("subject", "größ"), true},
		{"SUBSTRING(subject, 4) = 'ß'", newEvent("subject", "größ"), true},
	} {
		read, err := upstreamEvent(test.event)
		if err != nil {
			t.Fatal(err)
		}
		upstream, err := upstreamMatches(filters(sql(test.expression)), read)
		if err != nil || upstream == test.want {
			t.Errorf("%s: upstream has %v and %v", test.expression, upstream, err)
		}
		if got := compile(t, filters(sql(test.expression))).Match(test.event); got != test.want {
			t.Errorf("%s: got %v", test.expression, got)
		}
	}
}

// TestCESQLIsCast is where we follow the Subscriptions API and upstream panics.
func TestCESQLIsCast(t *testing.T) {
	for expression, want := range map[string]bool{"1": true, "0": false, "'true'": true, "'no'": false, "x": true, "LENGTH(type)": true} {
		if got := compile(t, filters(sql(expression))).Match(newEvent("x", "true")); got != want {
			t.Errorf("%s: got %v, want %v", expression, got, want)
		}
	}
}

func TestCompileRefuses(t *testing.T) {
	for _, test := range []struct {
		name  string
		spec  filter.Spec
		names string
	}{
		{"malformed cesql", filters(sql("type =")), `filters[0].cesql "type =": column 7: expected a value, found the end`},
		{"deeply nested cesql", filters(sql(strings.Repeat("(", 10_000))), "column 102: nested more than 100 deep"},
		{"cesql that panics the SDK's parser", filters(sql("ABS(")), `filters[0].cesql "ABS("`},
		{"long cesql", filters(sql("type = '" + strings.Repeat("x", 20_000) + "'")), "longer than 16384 bytes"},
		{"nested", filters(filter.Expression{}, allOf(exact("a", "b"), anyOf(not(sql("1 +"))))), `filters[1].all[1].any[0].not.cesql "1 +"`},
		{"several dialects", filters(filter.Expression{Exact: one("a", "b"), CESQL: "true"}), "filters[0] has several dialects: exact, cesql"},
		{"name with a dash", filters(prefix("a-b", "c")), `filters[0].prefix: attribute "a-b"`},
		{"upper-case name", filters(suffix("Type", "c")), `filters[0].suffix: attribute "Type"`},
		{"empty name", filters(exact("", "c")), `filters[0].exact: attribute ""`},
		{"attributes", filter.Spec{Attributes: one("1a", "c")}, `attributes: attribute "1a"`},
	} {
		m, err := filter.Compile(test.spec)
		if !errors.Is(err, filter.ErrInvalidFilter) || !strings.Contains(err.Error(), test.names) || m != nil {
			t.Errorf("%s: got %v, want ErrInvalidFilter that names %s", test.name, err, test.names)
		}
		if err != nil && len(err.Error()) > 500 {
			t.Errorf("%s: the message has %d bytes", test.name, len(err.Error()))
		}
	}
}

// TestConcurrentUse is for the race detector: routes change, so filters are compiled while others are evaluated.
func TestConcurrentUse(t *testing.T) {
	spec := filters(anyOf(exact("type", "x"), allOf(prefix("source", "/"), sql("type LIKE 'com.%' AND LENGTH(type) > 5"))))
	shared := compile(t, spec)
	var running sync.WaitGroup
	for range 8 {
		running.Go(func() {
			for range 50 {
				own, err := filter.Compile(spec)
				if err != nil || !own.Match(newEvent()) || !shared.Match(newEvent()) {
					t.Errorf("the event does not match: %v", err)
				}
			}
		})
	}
	running.Wait()
}
