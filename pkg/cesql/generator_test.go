package cesql_test

import (
	"fmt"
	"strings"

	"pgregory.net/rapid"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/event"
)

// generator draws well-formed expressions with few parentheses, so that precedence matters.
type generator struct {
	t *rapid.T
	// goesOn is set once an operator is drawn that uses an operand with an error.
	goesOn bool
}

// texts are similar enough that comparisons and patterns often match. None has a character beyond
// ASCII, % or \: see sdkFaults.
var texts = []string{"", "a", "ab", "abc", "a_c", "A", "true", "FALSE", "0", "1", "-1", "+7", "12", "2147483647", "-2147483648", " a ", "it's", "order.created"}

// drawAttributes draws attributes of an event; some names used in expressions are missing.
func drawAttributes(t *rapid.T) []event.Attribute {
	with := attributes("id", "1", "source", "/shop", "type", "order.created")
	for _, name := range []string{"a", "b", "n", "flag", "ext1"} {
		if rapid.IntRange(0, 3).Draw(t, "has "+name) > 0 {
			with = append(with, event.Attribute{Name: name, Value: rapid.SampledFrom(texts).Draw(t, name)})
		}
	}
	return with
}

func (g *generator) of(choices ...string) string {
	return g.cased(rapid.SampledFrom(choices).Draw(g.t, "choice"))
}

// cased draws the case of keywords and names.
func (g *generator) cased(word string) string {
	switch rapid.IntRange(0, 5).Draw(g.t, "case") {
	case 0:
		return strings.ToLower(word)
	case 1:
		return strings.ToUpper(word)
	default:
		return word
	}
}

func (g *generator) name() string {
	return g.of("type", "id", "source", "a", "b", "n", "flag", "ext1", "missing", "subject")
}

func (g *generator) text() string {
	text := rapid.SampledFrom(texts).Draw(g.t, "text")
	if rapid.Bool().Draw(g.t, "double") {
		return `"` + text + `"`
	}
	return `'` + strings.ReplaceAll(text, `'`, `\'`) + `'`
}

func (g *generator) pattern() string {
	pieces := rapid.SliceOfN(rapid.SampledFrom([]string{"a", "b", "c", "%", "_", `\_`, "1", "t", "e"}), 0, 6).Draw(g.t, "pattern")
	return "'" + strings.Join(pieces, "") + "'"
}

// expression draws operands and operators.
func (g *generator) expression(depth int) string {
	text := g.operand(depth)
	for range rapid.SampledFrom([]int{0, 0, 1, 1, 2, 3}).Draw(g.t, "operators") {
		switch rapid.IntRange(0, 9).Draw(g.t, "operator") {
		case 0, 1:
			text += " " + g.of("LIKE", "NOT LIKE") + " " + g.pattern()
		case 2:
			g.goesOn = true
			text += " " + g.of("IN", "NOT IN") + " (" + g.list(1, depth) + ")"
		case 3, 4:
			g.goesOn = true
			text += " " + g.of("AND", "OR", "XOR") + " " + g.operand(depth)
		default:
			text += " " + g.of("=", "!=", "<>", "<", "<=", ">", ">=", "+", "-", "*", "/", "%") + " " + g.operand(depth)
		}
	}
	return text
}

func (g *generator) list(least, depth int) string {
	elements := make([]string, rapid.IntRange(least, 3).Draw(g.t, "elements"))
	for i := range elements {
		elements[i] = g.expression(depth - 1)
	}
	return strings.Join(elements, " , ")
}

func (g *generator) operand(depth int) string {
	most := 11
	if depth <= 0 {
		most = 5
	}
	switch rapid.IntRange(0, most).Draw(g.t, "operand") {
	case 0, 1:
		return g.name()
	case 2:
		return g.text()
	case 3:
		return fmt.Sprint(rapid.SampledFrom([]int32{0, 1, -1, 2, 7, 2147483647, -2147483648}).Draw(g.t, "integer"))
	case 4:
		return g.of("TRUE", "FALSE")
	case 5:
		return g.of("EXISTS") + " " + g.name()
	case 6:
		g.goesOn = true
		return g.of("NOT") + " " + g.operand(depth-1)
	case 7:
		return "-" + g.operand(depth-1)
	case 8, 9:
		return g.call(depth)
	default:
		return "(" + g.expression(depth-1) + ")"
	}
}

func (g *generator) call(depth int) string {
	name := g.of("INT", "BOOL", "STRING", "IS_INT", "IS_BOOL", "ABS", "LENGTH", "LOWER", "UPPER", "TRIM", "LEFT", "RIGHT", "SUBSTRING", "CONCAT", "CONCAT_WS", "UNKNOWN")
	switch strings.ToUpper(name) {
	case "LEFT", "RIGHT":
		return name + "(" + g.expression(depth-1) + ", " + g.expression(depth-1) + ")"
	case "SUBSTRING":
		// A negative length makes the SDK panic.
		return name + "(" + g.expression(depth-1) + ", " + g.expression(depth-1) + g.of("", ", 0", ", 1", ", 5") + ")"
	case "CONCAT", "CONCAT_WS":
		return name + "(" + g.list(0, depth) + ")"
	default:
		if rapid.IntRange(0, 9).Draw(g.t, "arity") == 0 {
			return name + " (" + g.list(0, depth) + ")"
		}
		return name + "(" + g.expression(depth-1) + ")"
	}
}
