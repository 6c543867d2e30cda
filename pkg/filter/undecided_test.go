package filter_test

import (
	"testing"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/cesql"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/event"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/filter"
)

// What cannot be told yet stays open, unless the other parts of the filter settle it.
func TestWhatCannotBeToldYet(t *testing.T) {
	later := cesql.Function{Name: "LATER", Returns: cesql.Boolean, Call: func([]cesql.Value) (cesql.Value, cesql.Errors) {
		return cesql.BooleanValue(false), cesql.Undecided
	}}
	open, yes, no := sql("LATER()"), exact(event.Type, "t"), exact(event.Type, "another")
	e := event.Event{Attributes: []event.Attribute{{Name: event.Type, Value: "t"}}}
	for _, row := range []struct {
		name               string
		spec               filter.Spec
		matches, undecided bool
	}{
		{"alone", filters(open), false, true},
		{"not", filters(not(open)), false, true},
		{"not not", filters(not(not(open))), false, true},
		{"and what passes", filters(open, yes), false, true},
		{"and what fails", filters(open, no), false, false},
		{"all, and what passes", filters(allOf(yes, open, yes)), false, true},
		{"all, and what fails", filters(allOf(open, no)), false, false},
		{"any, or what passes", filters(anyOf(open, yes)), true, false},
		{"any, or what fails", filters(anyOf(open, no)), false, true},
		{"no filter", filter.Spec{}, true, false},
	} {
		m, err := filter.Compile(row.spec, later)
		if err != nil {
			t.Fatal(err)
		}
		if matches, undecided := m.Decide(e); matches != row.matches || undecided != row.undecided || m.Match(e) != matches {
			t.Errorf("%s: matches %t, undecided %t", row.name, matches, undecided)
		}
	}
}
