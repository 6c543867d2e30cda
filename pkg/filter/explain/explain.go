// Package explain tells why a filter does not match an event. It is for operators, and no part of
// the event path.
//
// It compiles each part of a filter by itself and asks the Matcher of that part, so that what it
// says is what the filter does.
package explain

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/cesql"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/event"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/filter"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/requestreply"
)

// Filter compares the event with the filter. Error: filter.ErrInvalidFilter.
func Filter(spec filter.Spec, e event.Event) (Explanation, error) {
	matcher, err := filter.Compile(spec, correlation())
	if err != nil {
		return Explanation{}, err
	}
	matches, undecided := matcher.Decide(e)
	told := Explanation{Matches: matches, Undecided: undecided}
	x := explainer{e}
	switch {
	case matches:
	case len(spec.Filters) > 0:
		told.Clauses = x.expressions("filters", spec.Filters)
	default:
		told.Clauses = x.conditions(spec.Attributes, dialect{"attributes", "must be", func(one map[string]string) filter.Spec {
			return filter.Spec{Attributes: one}
		}})
	}
	return told, nil
}

// correlation knows no key of a RequestReply: those are mounted into the filter processes alone.
func correlation() cesql.Function {
	return requestreply.Function(func() map[string]string { return nil })
}

// explainer is about one event.
type explainer struct{ event event.Event }

func (x explainer) expressions(path string, parts []filter.Expression) (all []Clause) {
	for i, part := range parts {
		all = append(all, x.expression(path+"["+strconv.Itoa(i)+"]", part)...)
	}
	return all
}

// expression returns nothing for one that holds, or says nothing.
func (x explainer) expression(path string, e filter.Expression) []Clause {
	if x.holds(only(e)) {
		return nil
	}
	switch {
	case len(e.Exact) > 0:
		return x.conditions(e.Exact, dialect{path + ".exact", "must be", func(one map[string]string) filter.Spec {
			return only(filter.Expression{Exact: one})
		}})
	case len(e.Prefix) > 0:
		return x.conditions(e.Prefix, dialect{path + ".prefix", "must begin with", func(one map[string]string) filter.Spec {
			return only(filter.Expression{Prefix: one})
		}})
	case len(e.Suffix) > 0:
		return x.conditions(e.Suffix, dialect{path + ".suffix", "must end with", func(one map[string]string) filter.Spec {
			return only(filter.Expression{Suffix: one})
		}})
	case len(e.All) > 0:
		return x.expressions(path+".all", e.All)
	case len(e.Any) > 0:
		return x.expressions(path+".any", e.Any)
	case e.Not != nil:
		return x.negation(path+".not", *e.Not)
	default:
		return []Clause{x.query(path+".cesql", e.CESQL)}
	}
}

func only(e filter.Expression) filter.Spec { return filter.Spec{Filters: []filter.Expression{e}} }

// holds tells whether a part of the filter that was compiled as a whole lets the event pass.
func (x explainer) holds(part filter.Spec) bool {
	matcher, err := filter.Compile(part, correlation())
	return err == nil && matcher.Match(x.event)
}

// dialect is one that compares attributes with texts. of makes the filter of one of its attributes.
type dialect struct {
	path, wants string
	of          func(map[string]string) filter.Spec
}

func (x explainer) conditions(wanted map[string]string, d dialect) (all []Clause) {
	for _, name := range slices.Sorted(maps.Keys(wanted)) {
		want := wanted[name]
		if x.holds(d.of(map[string]string{name: want})) {
			continue
		}
		says := name + " " + d.wants + " " + strconv.Quote(want)
		if want == "" { // which filter.attributes alone has
			says = name + " must be there"
		}
		all = append(all, Clause{Path: d.path, Says: says, Seen: []Seen{x.seen(name)}})
	}
	return all
}

// negation is of an expression that passes, or of one that cannot tell.
func (x explainer) negation(path string, e filter.Expression) []Clause {
	if !x.holds(only(e)) {
		return x.expression(path, e)
	}
	seen := map[string]Seen{}
	x.look(e, seen)
	c := Clause{Path: path, Says: "what it negates is true"}
	for _, name := range slices.Sorted(maps.Keys(seen)) {
		c.Seen = append(c.Seen, seen[name])
	}
	return []Clause{c}
}

// look collects what the event has of the attributes that the expression asks for.
func (x explainer) look(e filter.Expression, seen map[string]Seen) {
	for _, attributes := range []map[string]string{e.Exact, e.Prefix, e.Suffix} {
		for name := range attributes {
			seen[name] = x.seen(name)
		}
	}
	for _, part := range slices.Concat(e.All, e.Any) {
		x.look(part, seen)
	}
	if e.Not != nil {
		x.look(*e.Not, seen)
	}
	if e.CESQL != "" {
		for _, s := range x.query("", e.CESQL).Seen {
			seen[s.Attribute] = s
		}
	}
}

func (x explainer) seen(name string) Seen {
	value := filter.ValueOf(x.event, name)
	return Seen{Attribute: name, Value: value, Missing: value == ""}
}

// query evaluates an expression that compiles, and notes which attributes it reads.
func (x explainer) query(path, text string) Clause {
	c := Clause{Path: path, Says: strings.TrimSpace(text) + " is false"}
	expression, err := cesql.Compile(text, cesql.Environment{Functions: []cesql.Function{correlation()}, Attribute: func(name string) cesql.Attribute {
		read := filter.AttributeOf(name)
		if !slices.ContainsFunc(c.Seen, func(s Seen) bool { return s.Attribute == name }) {
			value, there := read(x.event.Attributes)
			c.Seen = append(c.Seen, Seen{Attribute: name, Value: value.Text(), Missing: !there})
		}
		return read
	}})
	if err != nil { // not reached: the whole filter was compiled before
		c.Says = err.Error()
		return c
	}
	_, c.Errors = expression.Evaluate(x.event.Attributes)
	_, c.Undecided = expression.Decide(x.event.Attributes)
	c.Lacks = expression.MissingFunctions()
	return c
}
