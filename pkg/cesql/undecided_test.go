package cesql_test

import (
	"testing"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/cesql"
)

// An undecided function leaves the event undecided, unless the rest of the expression decides.
func TestUndecidedFunction(t *testing.T) {
	environment := untyped()
	environment.Functions = []cesql.Function{{Name: "LATER", Returns: cesql.Boolean, Call: func([]cesql.Value) (cesql.Value, cesql.Errors) {
		return cesql.BooleanValue(false), cesql.Undecided
	}}}
	for expression, want := range map[string]struct{ matches, undecided bool }{
		"LATER()":                 {false, true},
		"NOT LATER()":             {false, true},
		"LATER() = TRUE":          {false, true},
		"missing = 1 OR LATER()":  {false, true},
		"LATER() AND TRUE":        {false, true},
		"FALSE AND LATER()":       {false, false},
		"TRUE OR LATER()":         {true, false},
		"INT('a') = 1 OR LATER()": {false, false},
		"UNKNOWN() OR LATER()":    {false, false},
		"missing = 1":             {false, false},
		"TRUE":                    {true, false},
	} {
		x, err := cesql.Compile(expression, environment)
		if err != nil {
			t.Fatal(err)
		}
		if matches, undecided := x.Decide(nil); matches != want.matches || undecided != want.undecided || x.Matches(nil) != matches {
			t.Errorf("%s: matches %t, undecided %t; want %+v", expression, matches, undecided, want)
		}
	}
}
