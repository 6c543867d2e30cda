package cesql_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/cesql"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/event"
)

func TestSyntaxErrors(t *testing.T) {
	for _, test := range [][2]string{
		{"", "column 1: expected a value, found the end"},
		{"type =", "column 7: expected a value, found the end"},
		{"type = = 'a'", `column 8: expected a value, found "="`},
		{"type == 'a'", `column 7: expected a value, found "="`},
		{"type 'a'", "column 6: expected an operator or the end, found a string"},
		{"(type = 'a'", `column 12: expected ")", found the end`},
		{"type = 'a')", `column 11: expected an operator or the end, found ")"`},
		{"((( ", "column 5: expected a value, found the end"},
		{"ABC(", "column 5: expected a value, found the end"},
		{"ABC(1", `column 6: expected ")", found the end`},
		{"ABC(1,)", `column 7: expected a value, found ")"`},
		{"x IN ()", `column 7: expected a value, found ")"`},
		{"x IN 'a'", `column 6: expected "(", found a string`},
		{"x LIKE 123", `column 8: expected a string after LIKE, found "123"`},
		{"x LIKE", "column 7: expected a string after LIKE, found the end"},
		{"x NOT = 'a'", `column 7: expected LIKE or IN after NOT, found "="`},
		{"x NOT", "column 6: expected LIKE or IN after NOT, found the end"},
		{"AND x", `column 1: expected a value, found "AND"`},
		{"x AND", "column 6: expected a value, found the end"},
		{"EXISTS 'x'", "column 8: expected the name of an attribute, which has letters and digits only, found a string"},
		{"EXISTS (x)", `column 8: expected the name of an attribute, which has letters and digits only, found "("`},
		{"my_attribute = 1", `column 1: expected the name of an attribute, which has letters and digits only, found "my_attribute"`},
		{"MD5(x)", `column 1: expected the name of a function, which has letters and _ only, found "MD5"`},
		{"n-1 > 0", "column 2: expected an operator or the end, found the number -1 (an operator has a space before the number)"},
		{"2147483648", "column 1: 2147483648 is not an integer from -2147483648 to 2147483647"},
		{"1 = -2147483649", "column 5: -2147483649 is not an integer from -2147483648 to 2147483647"},
		{"type = 'a", "column 8: expected ' at the end of the string"},
		{`type = "a\"`, `column 8: expected " at the end of the string`},
		{"type = 'a' && x", "column 12: unexpected character '&'"},
		{"type = ‘a’", "column 8: unexpected character '‘'"},
		{"ü = 'a'", "column 1: unexpected character 'ü'"},
		{"'ü' = ;", "column 7: unexpected character ';'"},
		{"n > 1.5", "column 6: unexpected character '.'"},
		{"type = 'a'\nAND\n  x = ", "line 3, column 7: expected a value, found the end"},
		{"a" + strings.Repeat("_", 200), "column 1: expected the name of an attribute, which has letters and digits only, found \"a" + strings.Repeat("_", 39) + "...\""},
		{strings.Repeat("9", 200), "column 1: " + strings.Repeat("9", 40) + "... is not an integer from -2147483648 to 2147483647"},
	} {
		x, err := cesql.Compile(test[0], untyped())
		var syntax *cesql.SyntaxError
		if x != nil || !errors.As(err, &syntax) || err.Error() != test[1] {
			t.Errorf("%q: got %v, want %s", test[0], err, test[1])
		}
	}
}

func TestBounds(t *testing.T) {
	nested := func(open, inner, end string, depth int) string {
		return strings.Repeat(open, depth) + inner + strings.Repeat(end, depth)
	}
	const tooDeep = "nested more than 100 deep"
	for _, test := range []struct {
		name, expression, wantErr string
	}{
		{"parentheses", nested("(", "TRUE", ")", 100), ""},
		{"too many parentheses", nested("(", "TRUE", ")", 101), tooDeep},
		{"far too many parentheses", strings.Repeat("(", cesql.MaxLength), tooDeep},
		{"NOT", nested("NOT ", "TRUE", "", 100), ""},
		{"too many NOTs", nested("NOT ", "TRUE", "", 4000), tooDeep},
		{"too many minus signs", nested("-", "x", "", 10_000), tooDeep},
		{"functions", nested("BOOL(", "1", ")", 100), ""},
		{"too many functions", nested("BOOL(", "1", ")", 101), tooDeep},
		{"sets", nested("TRUE IN (", "TRUE", ")", 100), ""},
		{"too many sets", nested("TRUE IN (", "TRUE", ")", 101), tooDeep},
		{"as long as may be", "TRUE" + strings.Repeat(" ", cesql.MaxLength-4), ""},
		{"too long", "TRUE" + strings.Repeat(" ", cesql.MaxLength-3), "longer than 16384 bytes"},
		{"many ORs", "FALSE" + strings.Repeat(" OR x", 3000) + " OR TRUE", ""},
		{"many XORs", "TRUE" + strings.Repeat(" XOR TRUE", 1000), ""},
		{"many sums", "1" + strings.Repeat(" + 1", 4000), ""},
		{"many comparisons", "1" + strings.Repeat(" > 0", 4000), ""},
		{"many LIKEs", "TRUE" + strings.Repeat(" LIKE 'tr%'", 1400), ""},
		{"a large set", "2 NOT IN (1" + strings.Repeat(",1", 8000) + ")", ""},
	} {
		x, err := cesql.Compile(test.expression, untyped())
		if test.wantErr != "" {
			if err == nil || !strings.Contains(err.Error(), test.wantErr) {
				t.Errorf("%s: got %v, want %s", test.name, err, test.wantErr)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", test.name, err)
		} else if !x.Matches(nil) {
			t.Errorf("%s: it is false", test.name)
		}
	}
}

// FuzzCompile looks for panics, and for expressions that are not what they were the second time.
func FuzzCompile(f *testing.F) {
	for _, seed := range []string{
		"type LIKE 'com.%' AND x > 5", "NOT (x IN ('a', \"b\")) XOR EXISTS y", "SUBSTRING(CONCAT_WS(',', x, 1), -2, 3) = 'a\\'b'", "((", "x NOT", "'\xff' LIKE '_%_\\%'",
	} {
		f.Add(seed, "x", "a\xffb")
	}
	f.Fuzz(func(t *testing.T, text, name, value string) {
		x, err := cesql.Compile(text, untyped())
		if err != nil {
			if len(err.Error()) > 300 {
				t.Errorf("the message has %d bytes", len(err.Error()))
			}
			return
		}
		with := []event.Attribute{{Name: name, Value: value}}
		first, firstErrors := x.Evaluate(with)
		if second, errors := x.Evaluate(with); first != second || firstErrors != errors || first.Type() == cesql.Any {
			t.Errorf("got %+v %b and then %+v %b", first, firstErrors, second, errors)
		}
	})
}
