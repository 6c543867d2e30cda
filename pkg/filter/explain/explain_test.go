package explain_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/event"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/filter"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/filter/explain"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/requestreply"
)

type expression = filter.Expression

func order() event.Event {
	return event.Event{Attributes: []event.Attribute{
		{Name: event.SpecVersion, Value: "1.0"}, {Name: event.ID, Value: "17"}, {Name: event.Source, Value: "/shop"}, {Name: event.Type, Value: "order"},
		{Name: "amount", Value: "3"}, {Name: "note", Value: "a\nb"}, {Name: event.HopCount, Value: "255"},
	}}
}

func TestEachClauseThatSaysNoIsNamed(t *testing.T) {
	t.Parallel()
	refund := map[string]string{"type": "refund"}
	for _, test := range []struct {
		name string
		spec filter.Spec
		want []string
	}{
		{"no filter", filter.Spec{}, nil},
		{"attributes that match", filter.Spec{Attributes: map[string]string{"type": "order", "source": ""}}, nil},
		{"attributes", filter.Spec{Attributes: map[string]string{"type": "refund", "source": "/shop", "extra": ""}},
			[]string{"attributes: extra must be there; extra is missing", `attributes: type must be "refund"; type is "order"`}},
		{"exact", of(expression{Exact: map[string]string{"type": "refund", "id": "17"}}), []string{`filters[0].exact: type must be "refund"; type is "order"`}},
		{"exact that says nothing", of(expression{Exact: map[string]string{"type": "refund", "id": ""}}), nil},
		{"prefix", of(expression{Prefix: map[string]string{"subject": "a"}}), []string{`filters[0].prefix: subject must begin with "a"; subject is missing`}},
		{"suffix", of(expression{Suffix: map[string]string{"note": "c"}}), []string{`filters[0].suffix: note must end with "c"; note is "a\nb"`}},
		{"the second of two", of(expression{Exact: map[string]string{"type": "order"}}, expression{Exact: refund}),
			[]string{`filters[1].exact: type must be "refund"; type is "order"`}},
		{"all", of(expression{All: []expression{{Exact: map[string]string{"type": "order"}}, {Exact: refund}, {CESQL: "amount > 5"}}}),
			[]string{`filters[0].all[1].exact: type must be "refund"; type is "order"`, `filters[0].all[2].cesql: amount > 5 is false; amount is "3"`}},
		{"any", of(expression{Any: []expression{{Exact: refund}, {Prefix: map[string]string{"type": "x"}}}}),
			[]string{`filters[0].any[0].exact: type must be "refund"; type is "order"`, `filters[0].any[1].prefix: type must begin with "x"; type is "order"`}},
		{"any of which one passes", of(expression{Any: []expression{{Exact: refund}, {Prefix: map[string]string{"type": "o"}}}}), nil},
		{"not", of(expression{Not: &expression{Any: []expression{{Exact: map[string]string{"type": "order"}}, {CESQL: "EXISTS subject"}}}}),
			[]string{`filters[0].not: what it negates is true; subject is missing, type is "order"`}},
		{"not of not", of(expression{Not: &expression{Not: &expression{Exact: refund}}}), []string{`filters[0].not: what it negates is true; type is "order"`}},
		{"CESQL that has no number", of(expression{CESQL: "note > 5"}),
			[]string{`filters[0].cesql: note > 5 is false; note is "a\nb", a value has not the type that is needed`}},
		{"CESQL that divides by nothing", of(expression{CESQL: "1 / 0 = 1"}), []string{"filters[0].cesql: 1 / 0 = 1 is false; something cannot be computed"}},
		{"CESQL without an attribute", of(expression{CESQL: "extra = 'x' AND type = 'order' AND extra != 'y'"}),
			[]string{`filters[0].cesql: extra = 'x' AND type = 'order' AND extra != 'y' is false; extra is missing, type is "order"`}},
		{"CESQL with a function that is none", of(expression{CESQL: "TWICE(id) = 2"}),
			[]string{`filters[0].cesql: TWICE(id) = 2 is false; id is "17", there is no function TWICE of 1 arguments`}},
		{"the hop count, which no filter sees", of(expression{CESQL: "EXISTS knativebrokerttl"}),
			[]string{"filters[0].cesql: EXISTS knativebrokerttl is false; knativebrokerttl is missing"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			told := told(t, test.spec, order())
			if got := lines(told.Clauses); !slices.Equal(got, test.want) {
				t.Errorf("the clauses are\n%q, want\n%q", got, test.want)
			}
			if want := map[bool]string{true: "matches", false: "does not match"}[test.want == nil]; told.String() != want {
				t.Errorf("the event %s, want that it %s", told, want)
			}
		})
	}
}

func of(parts ...expression) filter.Spec { return filter.Spec{Filters: parts} }

func told(t *testing.T, spec filter.Spec, e event.Event) explain.Explanation {
	t.Helper()
	told, err := explain.Filter(spec, e)
	if err != nil {
		t.Fatal(err)
	}
	return told
}

func lines(clauses []explain.Clause) (all []string) {
	for _, c := range clauses {
		all = append(all, c.String())
	}
	return all
}

// Whether an event answers a request, only who has the keys can tell, also where that is negated.
func TestWhatCannotBeToldIsNotCalledFalse(t *testing.T) {
	t.Parallel()
	asks := expression{CESQL: "KN_VERIFY_CORRELATION_ID(replyid, 'orders', 'shop', 'request-reply-keys', 0, 1)"}
	want := `only a filter process can tell, which has the keys of the RequestReply; replyid is "17:c2VhbGVk:0"`
	for path, spec := range map[string]filter.Spec{"filters[0].cesql: ": of(asks), "filters[0].not.cesql: ": of(expression{Not: &asks})} {
		told := told(t, spec, order().With("replyid", "17:c2VhbGVk:0"))
		if got := lines(told.Clauses); len(got) != 1 || got[0] != path+want || told.String() != "may match" {
			t.Errorf("the event %s, and the clauses are\n%q, want\n%q", told, got, path+want)
		}
	}
}

func TestAnInvalidFilterIsRefused(t *testing.T) {
	t.Parallel()
	if _, err := explain.Filter(of(expression{CESQL: "type ="}), order()); !errors.Is(err, filter.ErrInvalidFilter) {
		t.Errorf("error %v, want ErrInvalidFilter", err)
	}
}

// A clause is named exactly when the filter does not match, however the filter is made.
func TestTheClausesAgreeWithTheFilter(t *testing.T) {
	t.Parallel()
	leaves := []expression{
		{}, {Exact: map[string]string{"type": "order"}}, {Exact: map[string]string{"type": "refund"}}, {Exact: map[string]string{"type": ""}},
		{CESQL: "amount > 2"}, {CESQL: "amount"}, {CESQL: "extra = 'x'"}, {CESQL: "amount / 0 = 1"},
		{CESQL: "KN_VERIFY_CORRELATION_ID('17:c2VhbGVk:0', 'orders', 'shop', 'request-reply-keys', 0, 1)"},
	}
	matched, refused := 0, 0
	unknown := requestreply.Function(func() map[string]string { return nil })
	for _, spec := range specs(grown(leaves)) {
		matcher, err := filter.Compile(spec, unknown)
		if err != nil {
			t.Fatal(err)
		}
		told := told(t, spec, order())
		matches, undecided := matcher.Decide(order())
		if told.Matches != matches || told.Undecided != undecided || matches != (len(told.Clauses) == 0) {
			t.Errorf("%+v matches: %t, undecided: %t, but it is told as %+v", spec, matches, undecided, told)
		}
		if matches {
			matched++
		} else {
			refused++
		}
	}
	if matched == 0 || refused == 0 {
		t.Errorf("%d filters match and %d do not", matched, refused)
	}
}

// grown are the expressions, and what can be made of one or two of them.
func grown(parts []expression) []expression {
	all := slices.Clone(parts)
	for _, one := range parts {
		all = append(all, expression{Not: &one}, expression{Not: &expression{Not: &one}})
		for _, other := range parts {
			both := []expression{one, other}
			all = append(all, expression{All: both}, expression{Any: both}, expression{Not: &expression{Any: both}}, expression{Not: &expression{All: both}})
		}
	}
	return all
}

func specs(expressions []expression) (all []filter.Spec) {
	for i, one := range expressions {
		all = append(all, of(one), of(one, expressions[(7*i+3)%len(expressions)]))
	}
	return all
}

func ExampleFilter() {
	told, _ := explain.Filter(of(expression{Exact: map[string]string{"type": "refund"}}), order())
	fmt.Println(told)
	fmt.Println(told.Clauses[0])
	// Output:
	// does not match
	// filters[0].exact: type must be "refund"; type is "order"
}
