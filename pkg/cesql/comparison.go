package cesql

import "github.com/eventing-jetstream/eventing-jetstream/pkg/event"

// newBinary makes the node of a binary operator other than LIKE, IN, AND, OR and XOR.
func newBinary(operator string, left, right node) node {
	switch operator {
	case "=":
		return equality{left, right, false}
	case "!=", "<>":
		return equality{left, right, true}
	case "<":
		return ordering{left, right, func(x, y int32) bool { return x < y }}
	case "<=":
		return ordering{left, right, func(x, y int32) bool { return x <= y }}
	case ">":
		return ordering{left, right, func(x, y int32) bool { return x > y }}
	case ">=":
		return ordering{left, right, func(x, y int32) bool { return x >= y }}
	case "+":
		return arithmetic{left, right, func(x, y int32) (int32, Errors) { return x + y, 0 }}
	case "-":
		return arithmetic{left, right, func(x, y int32) (int32, Errors) { return x - y, 0 }}
	case "*":
		return arithmetic{left, right, func(x, y int32) (int32, Errors) { return x * y, 0 }}
	case "/":
		return arithmetic{left, right, divide}
	default:
		return arithmetic{left, right, remainder}
	}
}

type ordering struct {
	left, right node
	holds       func(x, y int32) bool
}

func (n ordering) eval(attributes []event.Attribute) result {
	x, errors := as(Integer, n.left, attributes)
	y, more := as(Integer, n.right, attributes)
	if errors |= more; errors != 0 {
		return failed(Boolean, errors)
	}
	return truth(n.holds(x.number, y.number))
}

// equality casts the left operand to the type of the right one.
type equality struct {
	left, right node
	negated     bool
}

func (n equality) eval(attributes []event.Attribute) result {
	y := operandOf(n.right, attributes)
	x, errors := as(y.typ, n.left, attributes)
	if errors |= y.errors; errors != 0 {
		return failed(Boolean, errors)
	}
	return truth((x == y.Value) != n.negated)
}

// in casts the elements to the type of the left operand, and compares up to the first equal
// element. An element with an error is neither equal nor unequal.
type in struct {
	left     node
	elements []node
	negated  bool
}

func (n in) eval(attributes []event.Attribute) result {
	x := operandOf(n.left, attributes)
	if x.errors != 0 {
		return failed(Boolean, x.errors)
	}
	var errors Errors
	for _, element := range n.elements {
		y, more := as(x.typ, element, attributes)
		if errors |= more; more == 0 && x.Value == y {
			return result{BooleanValue(!n.negated), errors}
		}
	}
	return result{BooleanValue(n.negated && errors == 0), errors}
}

type like struct {
	operand node
	pattern *pattern
	negated bool
}

func (n like) eval(attributes []event.Attribute) result {
	x, errors := as(String, n.operand, attributes)
	if errors != 0 {
		return failed(Boolean, errors)
	}
	return truth(n.pattern.matches(x.text) != n.negated)
}
