package cesql

import "github.com/eventing-jetstream/eventing-jetstream/pkg/event"

// not is false if the operand is missing or cannot be cast to a Boolean.
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

// logic is a chain of operands with AND, OR and XOR between them, which associate to the right:
// each operator has an operand on the left and the rest of the chain on the right.
type logic struct {
	operands  []node
	operators []string
}

// eval goes through the chain from the left, without recursion. An operand of AND or OR either
// decides the value or leaves it to the rest. XOR negates the rest if the operand is true.
func (n logic) eval(attributes []event.Attribute) result {
	var errors Errors
	negated := false
	for i, operand := range n.operands {
		x, more := operandTruth(operand.eval(attributes))
		errors |= more
		switch {
		case i == len(n.operators),
			n.operators[i] == "AND" && !x,
			n.operators[i] == "OR" && x:
			return result{BooleanValue(x != negated), errors}
		case n.operators[i] == "XOR":
			negated = negated != x
		}
	}
	return failed(Boolean, errors) // not reached: the last operand settles the value
}

// operandTruth casts an operand of AND, OR or XOR: without a value, or if the cast fails, it is
// false.
func operandTruth(r result) (bool, Errors) {
	if r.missing() {
		return false, r.errors
	}
	x, castError := r.to(Boolean)
	return x.Truth(), r.errors | castError
}
