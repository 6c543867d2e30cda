package cesql

import "github.com/eventing-jetstream/eventing-jetstream/pkg/event"

type negation struct{ operand node }

func (n negation) eval(attributes []event.Attribute) result {
	x, errors := as(Integer, n.operand, attributes)
	if errors != 0 {
		return failed(Integer, errors)
	}
	return result{IntegerValue(-x.number), 0}
}

// arithmetic wraps around on overflow, as 32-bit two's complement does: the specification has an
// error for overflow in ABS only.
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
