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

// operandOf evaluates an operand. A Boolean whose only errors are missing attributes has none.
func operandOf(n node, attributes []event.Attribute) result {
	r := n.eval(attributes)
	if r.typ == Boolean && r.errors == MissingAttributeError {
		r.errors = 0
	}
	return r
}

// as evaluates an operand and casts it. An operand with an error has no value.
func as(t Type, operand node, attributes []event.Attribute) (Value, Errors) {
	r := operandOf(operand, attributes)
	if r.errors != 0 {
		return Value{}, r.errors
	}
	return r.to(t)
}
