package cesql

import "github.com/eventing-jetstream/eventing-jetstream/pkg/event"

// not is false for what is no Boolean.
type not struct{ operand node }

func (n not) eval(attributes []event.Attribute) result {
	r := n.operand.eval(attributes)
	if r.missing() {
		return failed(Boolean, r.errors)
	}
	x, castError := r.to(Boolean)
	if castError != 0 {
		return failed(Boolean, r.errors|castError)
	}
	return result{BooleanValue(!x.Truth()), r.errors}
}

// logic is a chain of operands with AND, OR and XOR between them, which associate to the right: the operator after an operand has
// the rest of the chain on its other side.
type logic struct {
	operands  []node
	operators []string
}

// eval walks the chain from the left instead of calling itself for each rest. Seen from an operand, AND and OR either settle the
// value of the chain or leave it to the rest; XOR leaves it to the rest too, turned around if the operand is true.
func (n logic) eval(attributes []event.Attribute) result {
	var errors Errors
	turned := false
	for i, operand := range n.operands {
		x, more := operandTruth(operand.eval(attributes))
		errors |= more
		switch {
		case i == len(n.operators),
			n.operators[i] == "AND" && !x,
			n.operators[i] == "OR" && x:
			return result{BooleanValue(x != turned), errors}
		case n.operators[i] == "XOR":
			turned = turned != x
		}
	}
	return failed(Boolean, errors) // not reached: the last operand settles the value
}

// operandTruth takes an operand of AND, OR or XOR for what it is worth: what has no value or cannot be cast is false.
func operandTruth(r result) (bool, Errors) {
	if r.missing() {
		return false, r.errors
	}
	x, castError := r.to(Boolean)
	return x.Truth(), r.errors | castError
}
