package cesql

import "github.com/eventing-jetstream/eventing-jetstream/pkg/event"

type literal struct{ value Value }

func (n literal) eval([]event.Attribute) result { return result{n.value, 0} }

type attribute struct{ read Attribute }

func (n attribute) eval(attributes []event.Attribute) result {
	value, ok := n.read(attributes)
	if !ok {
		return result{errors: MissingAttributeError}
	}
	return result{value, 0}
}

type exists struct{ read Attribute }

func (n exists) eval(attributes []event.Attribute) result {
	_, ok := n.read(attributes)
	return truth(ok)
}

// as evaluates an operand for an operator that takes a value of this type. Its value counts only if it comes without errors.
func as(t Type, operand node, attributes []event.Attribute) (Value, Errors) {
	r := operand.eval(attributes)
	if r.errors != 0 {
		return Value{}, r.errors
	}
	return r.to(t)
}

type negation struct{ operand node }

func (n negation) eval(attributes []event.Attribute) result {
	x, errors := as(Integer, n.operand, attributes)
	if errors != 0 {
		return failed(Integer, errors)
	}
	return result{IntegerValue(-x.number), 0}
}

// newBinary makes the node of an operator between two operands that is neither LIKE, IN nor one of logic.
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

// arithmetic wraps around where the result does not fit, as 32-bit two's complement does: the specification has an error for this in
// ABS only.
type arithmetic struct {
	left, right node
	apply       func(x, y int32) (int32, Errors)
}

func (n arithmetic) eval(attributes []event.Attribute) result {
	x, errors := as(Integer, n.left, attributes)
	y, more := as(Integer, n.right, attributes)
	if errors |= more; errors != 0 {
		return failed(Integer, errors)
	}
	z, errors := n.apply(x.number, y.number)
	return result{IntegerValue(z), errors}
}

func divide(x, y int32) (int32, Errors) {
	if y == 0 {
		return 0, MathError
	}
	return x / y, 0
}

func remainder(x, y int32) (int32, Errors) {
	if y == 0 {
		return 0, MathError
	}
	return x % y, 0
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
	y := n.right.eval(attributes)
	x, errors := as(y.typ, n.left, attributes)
	if errors |= y.errors; errors != 0 {
		return failed(Boolean, errors)
	}
	return truth((x == y.Value) != n.negated)
}

// in casts the elements to the type of the left operand. They are compared one by one up to the first that is equal; an element
// that cannot be compared is neither equal nor unequal.
type in struct {
	left     node
	elements []node
	negated  bool
}

func (n in) eval(attributes []event.Attribute) result {
	x := n.left.eval(attributes)
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
