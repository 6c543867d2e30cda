package cesql_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/cesql"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/event"
)

// untyped reads attributes as Strings, as events have them.
func untyped() cesql.Environment {
	return cesql.Environment{Attribute: func(name string) cesql.Attribute {
		return func(attributes []event.Attribute) (cesql.Value, bool) {
			value, ok := event.Event{Attributes: attributes}.Get(name)
			return cesql.StringValue(value), ok
		}
	}}
}

func attributes(pairs ...string) []event.Attribute {
	var list []event.Attribute
	for i := 0; i < len(pairs); i += 2 {
		list = append(list, event.Attribute{Name: pairs[i], Value: pairs[i+1]})
	}
	return list
}

func compile(t testing.TB, text string) *cesql.Expression {
	t.Helper()
	x, err := cesql.Compile(text, untyped())
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return x
}

// told shows a value and errors as in the tables below.
func told(v cesql.Value, errors cesql.Errors) string {
	text := ""
	switch v.Type() {
	case cesql.Boolean:
		text = fmt.Sprint(v.Truth())
	case cesql.Integer:
		text = fmt.Sprint(v.Number())
	case cesql.String:
		text = "'" + v.Text() + "'"
	}
	for i, name := range []string{"missing", "function", "cast", "math", "evaluation"} {
		if errors>>i&1 != 0 {
			text += " " + name
		}
	}
	return text
}

// TestEvaluate has what the conformance files leave open. The event has only type, text, n, word,
// flag.
func TestEvaluate(t *testing.T) {
	with := attributes("type", "order.created", "text", "héllo wörld", "n", "7", "word", "many", "flag", "true")
	for _, test := range [][2]string{
		// A missing attribute makes its subexpression false, not the expression.
		{`(x = 'a') OR (type = 'order.created')`, `true missing`},
		{`(type = 'order.created') OR (x = 'a')`, `true`},
		{`x OR TRUE`, `true missing`},
		{`x AND TRUE`, `false missing`},
		{`x XOR TRUE`, `true missing`},
		{`TRUE XOR x`, `true missing`},
		{`NOT (x = 'a')`, `true missing`},
		{`NOT x`, `false missing`},
		{`NOT (NOT x)`, `true missing`},
		{`x != 'a'`, `false missing`},
		{`'a' <> x`, `false missing`},
		{`x LIKE '%'`, `false missing`},
		{`x NOT LIKE '%'`, `false missing`},
		{`x IN ('a')`, `false missing`},
		{`x NOT IN ('a')`, `false missing`},
		{`'a' IN (x, 'a')`, `true missing`},
		{`'a' IN ('a', x)`, `true`},
		{`'a' NOT IN (x, 'a')`, `false missing`},
		{`'a' NOT IN (x, 'b')`, `false missing`},
		{`'a' NOT IN ('c', 'b')`, `true`},
		// A value that is false because of it is false for the surrounding operator.
		{`(x = 'a') = FALSE`, `true`},
		{`FALSE = (x = 'a')`, `true`},
		{`(x = 'a') != (type = 'order.created')`, `true`},
		{`((x = 'a') OR (type = 'order.created')) = TRUE`, `true`},
		{`(x > 3) = FALSE`, `true`},
		{`(x LIKE 'a%') = FALSE`, `true`},
		{`(x IN ('a')) = FALSE`, `true`},
		{`(x = 'a') IN (FALSE)`, `true`},
		{`FALSE IN (x = 'a')`, `true`},
		{`INT(x = 'a') = 0`, `true`},
		{`CONCAT('', x = 'a') = 'false'`, `true`},
		{`(x = 'a') = (y = 'b')`, `true`},
		{`(x = 1 / 0) = FALSE`, `false missing math`},
		{`x + 1`, `0 missing`},
		{`x + 1 = 0`, `false missing`},
		{`x`, `false missing`},
		{`UPPER(x)`, `'' missing`},
		{`CONCAT('a', x)`, `'' missing`},
		{`IS_INT(x)`, `false missing`},
		{`EXISTS x OR EXISTS TYPE`, `true`},
		// So do other errors, which stay in the set of errors.
		{`word > 5`, `false cast`},
		{`word > 5 OR TRUE`, `true cast`},
		{`TRUE OR word > 5`, `true`},
		{`NOT (word > 5)`, `true cast`},
		{`NOT word`, `false cast`},
		{`word OR TRUE`, `true cast`},
		{`1 / 0 = 0`, `false math`},
		{`x = 1 / 0`, `false missing math`},
		{`x AND 1 / 0 = 0`, `false missing`},
		{`1 IN ('a', 1)`, `true cast`},
		{`UNKNOWN(1 / 0) OR TRUE`, `true function`},
		{`LENGTH()`, `false function`},
		{`UPPER(LEFT('a', -1))`, `'' evaluation`},
		// Precedence and associativity are the grammar's.
		{`TRUE OR TRUE AND FALSE`, `true`},
		{`FALSE AND TRUE OR TRUE`, `false`},
		{`TRUE XOR FALSE AND FALSE`, `true`},
		{`TRUE XOR TRUE OR FALSE`, `false`},
		{`TRUE XOR TRUE XOR TRUE`, `true`},
		{`TRUE XOR FALSE AND 1 / 0 = 0`, `true`},
		{`NOT FALSE = FALSE`, `false`},
		{`NOT 'abc' LIKE 'a%'`, `false cast`},
		{`-2 + 3 * 4 % 5`, `0`},
		{`10 - 2 - 3`, `5`},
		{`3 > 2 > 0`, `true`},
		{`2 * 3 LIKE '3'`, `2`},
		{`1 + 1 IN (2)`, `1`},
		{`'a' IN ('a') LIKE 'true'`, `true`},
		{`1 = 1 AND 2 = 2`, `true`},
		{`NOT EXISTS x`, `true`},
		// Casts.
		{`n = 7 AND n + '1' = '8'`, `true`},
		{`7 = n`, `true`},
		{`flag = TRUE AND TRUE = flag`, `true`},
		{`INT('+7')`, `7`},
		{`INT('-2147483648')`, `-2147483648`},
		{`INT('2147483648')`, `0 cast`},
		{`INT('-2147483649')`, `0 cast`},
		{`INT('99999999999999999999')`, `0 cast`},
		{`INT('')`, `0 cast`},
		{`INT('+')`, `0 cast`},
		{`INT(' 1')`, `0 cast`},
		{`INT('1_0')`, `0 cast`},
		{`INT('007')`, `7`},
		{`BOOL('FaLsE')`, `false`},
		{`BOOL('falſe')`, `false cast`},
		{`IS_BOOL('no') OR IS_INT('x')`, `false`},
		{`IS_BOOL('TRUE') AND IS_INT('-1') AND IS_BOOL(5)`, `true`},
		// Arithmetic wraps around.
		{`2147483647 + 1`, `-2147483648`},
		{`-2147483648 - 1`, `2147483647`},
		{`65536 * 65536`, `0`},
		{`- -2147483648`, `-2147483648`},
		{`-2147483648 / -1`, `-2147483648`},
		{`-7 / 2`, `-3`},
		{`-7 % 2`, `-1`},
		// Functions count characters.
		{`LENGTH(text)`, `11`},
		{`LENGTH('日本語🎉')`, `4`},
		{`LEFT(text, 2)`, `'hé'`},
		{`LEFT(text, 0)`, `''`},
		{`RIGHT(text, 4)`, `'örld'`},
		{`RIGHT(text, 99)`, `'héllo wörld'`},
		{`SUBSTRING(text, 2)`, `'éllo wörld'`},
		{`SUBSTRING(text, -4, 2)`, `'ör'`},
		{`SUBSTRING(text, 2, 1)`, `'é'`},
		{`SUBSTRING(text, 11)`, `'d'`},
		{`SUBSTRING(text, 12)`, `'' evaluation`},
		{`SUBSTRING(text, -12)`, `'' evaluation`},
		{`SUBSTRING('abc', 2, -1)`, `'' evaluation`},
		{`SUBSTRING('abc', 0, -1)`, `'' evaluation`},
		{`SUBSTRING('', 0)`, `''`},
		{`UPPER(text)`, `'HÉLLO WÖRLD'`},
		{"TRIM('\u2003 a\u00a0')", `'a'`},
		{`length ( Lower('ABC') )`, `3`},
		{`CONCAT_WS('-', 1, TRUE, '', n)`, `'1-true--7'`},
		// Escapes and spaces.
		{`'it\'s "it"'`, `'it's "it"'`},
		{`"it's \"it\""`, `'it's "it"'`},
		{`'it''s'`, `'it's'`},
		{`''`, `''`},
		{`'a\\b'`, `'a\\b'`},
		{`'a\\'`, `'a\\'`},
		{"\t1\r\n+\n2 ", `3`},
		{`Type = 'order.created' aNd TYPE lIkE 'order%'`, `true`},
	} {
		if got := told(compile(t, test[0]).Evaluate(with)); got != test[1] {
			t.Errorf("%s: got %s, want %s", test[0], got, test[1])
		}
	}
}

// TestMatches has the filter rule: only missing attributes are ignored.
func TestMatches(t *testing.T) {
	with := attributes("type", "order.created", "word", "many", "flag", "true")
	for expression, want := range map[string]bool{
		"x = 'a' OR type = 'order.created'": true,
		"(x OR type = 'order.created')":     true,
		"x":                                 false,
		"word > 5 OR TRUE":                  false,
		"NOT (word > 5)":                    false,
		"TRUE OR word > 5":                  true,
		"UNKNOWN() OR TRUE":                 false,
		"flag":                              true,
		"word":                              false,
		"2":                                 true,
		"''":                                false,
	} {
		if got := compile(t, expression).Matches(with); got != want {
			t.Errorf("%s: got %v, want %v", expression, got, want)
		}
	}
}

func TestFunctionsOfTheEnvironment(t *testing.T) {
	environment := untyped()
	environment.Functions = []cesql.Function{
		{Name: "SUM_OF", Parameters: []cesql.Type{cesql.Integer, cesql.Integer}, Returns: cesql.Integer, Call: func(a []cesql.Value) (cesql.Value, cesql.Errors) {
			return cesql.IntegerValue(a[0].Number() + a[1].Number()), 0
		}},
		{Name: "NOTHING", Returns: cesql.String, Call: func([]cesql.Value) (cesql.Value, cesql.Errors) { return cesql.Value{}, 0 }},
	}
	for expression, want := range map[string]string{
		"sum_of('1', 2)": "3",
		"SUM_OF(1)":      "false function",
		"SUM_OF(x, 'a')": "0 missing cast",
		"NOTHING()":      "'' evaluation",
	} {
		x, err := cesql.Compile(expression, environment)
		if err != nil {
			t.Fatal(err)
		}
		if got := told(x.Evaluate(nil)); got != want {
			t.Errorf("%s: got %s, want %s", expression, got, want)
		}
	}
}

// TestTextIsBounded checks that 16 KiB of expression cannot make hundreds of megabytes of text.
func TestTextIsBounded(t *testing.T) {
	with := attributes("x", strings.Repeat("x", cesql.MaxText/4))
	for expression, want := range map[string]string{
		"LENGTH(CONCAT(x, x, x, x))":          fmt.Sprint(cesql.MaxText),
		"LENGTH(CONCAT(x, x, x, x, 'x'))":     "0 evaluation",
		"LENGTH(CONCAT_WS('-', x, x, x, x))":  "0 evaluation",
		"LENGTH(CONCAT_WS('', x, x, x, x))":   fmt.Sprint(cesql.MaxText),
		"LENGTH(CONCAT(CONCAT(x, x), x, x))":  fmt.Sprint(cesql.MaxText),
		"CONCAT(CONCAT(x, x, x), x, x) = 'x'": "false evaluation",
	} {
		if got := told(compile(t, expression).Evaluate(with)); got != want {
			t.Errorf("%s: got %.50s, want %s", expression, got, want)
		}
	}
}
