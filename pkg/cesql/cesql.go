// Package cesql compiles expressions of the CloudEvents SQL Expression Language, version 1.0, and
// evaluates them on the attributes of events.
//
// # Errors
//
// An evaluation has two results: a value, and the set of the kinds of errors in it (3.3). It does
// not stop at an error (the "complete evaluation mode" of 4.1). An error affects the value so:
//
//   - A missing attribute is an error and has no value. As the whole expression it is false (3.2).
//   - An operator or function has the zero value of its type if an operand or argument has an error
//     or cannot be cast: without x, the expressions x = 'a', x != 'a' and x NOT LIKE 'a' are false,
//     and x * 5 is 0 (3.2, 3.3).
//   - AND, OR, XOR and NOT use the value of an operand with an error. A missing attribute is false
//     for AND, OR and XOR, and NOT of it is false. Without x, (x = 'a') OR TRUE and NOT (x = 'a')
//     are true: an error makes only its smallest subexpression false (cloudevents/spec PR 1257).
//   - A subexpression that is false with no error but missing attributes counts as false without
//     an error in comparisons, functions and casts: without x, (x = 'a') = FALSE is true.
//   - y IN (a, b) is y = a OR y = b, and y NOT IN (a, b) is y != a AND y != b.
//
// # As a filter
//
// By section 1.2 no event passes a filter whose evaluation has an error. A missing attribute would
// then make the filter false, against 3.2. So Matches ignores missing attributes only.
//
// # Grammar
//
// Precedence and associativity are those of the grammar that the SDKs share (CESQLParser.g4), and
// differ from SQL's. NOT and - bind tightest, so NOT type = 'a' is (NOT type) = 'a'. AND, OR and
// XOR have one precedence and associate to the right, so a AND b OR c is a AND (b OR c).
package cesql

import (
	"fmt"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/event"
)

// Bounds of an expression, which keep its time and memory in proportion to the events.
const (
	// MaxLength is the longest expression, in bytes.
	MaxLength = 16 << 10
	// MaxDepth bounds the nesting of parentheses, sets, function calls and unary operators.
	MaxDepth = 100
	// MaxText is the longest text, in bytes, that CONCAT and CONCAT_WS return.
	MaxText = 1 << 20
)

// Attribute reads one attribute of an event. It reports false if the event lacks the attribute.
type Attribute func([]event.Attribute) (Value, bool)

// Environment resolves the names in an expression.
type Environment struct {
	// Attribute returns the reader of the attribute name (lower-case letters and digits). Compile
	// calls it.
	Attribute func(name string) Attribute
	// Functions are functions beside the specification's.
	Functions []Function
}

// Expression is a compiled expression. It is immutable: any number of goroutines may evaluate it at
// the same time.
type Expression struct {
	root    node
	missing []string
}

// MissingFunctions names the called functions that do not exist, with their numbers of arguments.
// Every evaluation of such a call is an error.
func (x *Expression) MissingFunctions() []string { return x.missing }

// Compile compiles an expression. It returns a *SyntaxError if the expression violates the grammar,
// and another error if it exceeds the bounds. By the specification a call of a missing function is
// an error of the evaluation, not of Compile.
func Compile(text string, environment Environment) (*Expression, error) {
	if len(text) > MaxLength {
		return nil, fmt.Errorf("longer than %d bytes", MaxLength)
	}
	p := parser{text: text, environment: environment}
	p.tokens, p.err = split(text)
	if p.err != nil {
		return nil, p.err
	}
	root := p.expression()
	if end := p.next(); end.kind != tokenEnd {
		p.failAt(end, "expected an operator or the end, found %s", describe(end))
	}
	if p.err != nil {
		return nil, p.err
	}
	return &Expression{root, p.missing}, nil
}

// Evaluate returns the value, and the kinds of errors in the evaluation.
func (x *Expression) Evaluate(attributes []event.Attribute) (Value, Errors) {
	r := x.root.eval(attributes)
	if r.missing() {
		return BooleanValue(false), r.errors
	}
	return r.Value, r.errors
}

// Matches reports whether an event with these attributes passes the expression as a filter: the
// value, cast to a Boolean, is true, and the evaluation has no error but missing attributes.
func (x *Expression) Matches(attributes []event.Attribute) bool {
	matches, _ := x.Decide(attributes)
	return matches
}

// Decide is Matches that also reports undecided: the event does not match now, but may later, as
// the only error is Undecided.
func (x *Expression) Decide(attributes []event.Attribute) (matches, undecided bool) {
	value, errors := x.Evaluate(attributes)
	truth, castError := value.to(Boolean)
	errors = (errors | castError) &^ MissingAttributeError
	return truth.Truth() && errors == 0, errors == Undecided
}

// node is a part of a compiled expression.
type node interface {
	eval([]event.Attribute) result
}

// result is the result of a node. Only a missing attribute has no value; its type is Any.
type result struct {
	Value
	errors Errors
}

func (r result) missing() bool { return r.typ == Any }

// failed is the result of an operator or function that cannot be applied.
func failed(t Type, errors Errors) result { return result{Value{typ: t}, errors} }

// truth returns a Boolean without an error.
func truth(b bool) result { return result{BooleanValue(b), 0} }
