// Package cesql compiles expressions of the CloudEvents SQL Expression Language, version 1.0, and evaluates them over the
// attributes of events.
//
// # Errors
//
// An evaluation has two outputs: a value, and the set of the kinds of errors that it met (3.3). It never stops at an error: this
// is the "complete evaluation mode" of 4.1. What an error does to the value:
//
//   - A missing attribute is an error and no value. Where it is the whole expression it is false (3.2).
//   - An operator or function that cannot be applied, because an operand or argument comes with an error or cannot be cast, has the
//     zero value of its type: x = 'a', x != 'a' and x NOT LIKE 'a' are false without x, and x * 5 is 0 (3.2, 3.3).
//   - AND, OR and XOR go on with the value of each operand; a missing attribute is false for them. So does NOT, except that NOT of
//     a missing attribute itself is false. Without x, (x = 'a') OR TRUE is true, and so is NOT (x = 'a'): the error makes
//     its smallest subexpression false, no more (cloudevents/spec pull request 1257).
//   - What is false because of a missing attribute, and met no other error, is false for comparisons, functions and casts too:
//     without x, (x = 'a') = FALSE is true.
//   - y IN (a, b) is y = a OR y = b, and y NOT IN (a, b) is y != a AND y != b.
//
// # As a filter
//
// Section 1.2 lets no event pass a filter whose evaluation met an error. Taken by the word, that would undo 3.2: a missing attribute
// would make the filter false, not the subexpression. Matches therefore forgives missing attributes, and nothing else.
//
// # Grammar
//
// Precedence and associativity are those of the grammar that the SDKs share (CESQLParser.g4), which differ from SQL's: NOT and -
// bind tighter than anything else, so NOT type = 'a' is (NOT type) = 'a'; AND, OR and XOR have one precedence and associate to
// the right, so a AND b OR c is a AND (b OR c).
package cesql

import (
	"fmt"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/event"
)

// Bounds of an expression. They keep the time and the memory that an expression can take in proportion to the events.
const (
	// MaxLength is the longest expression, in bytes.
	MaxLength = 16 << 10
	// MaxDepth is how many parentheses, sets, function calls and unary operators may be inside each other.
	MaxDepth = 100
	// MaxText is the longest text, in bytes, that CONCAT and CONCAT_WS return.
	MaxText = 1 << 20
)

// Attribute reads one attribute of an event. It reports false when the event lacks it.
type Attribute func([]event.Attribute) (Value, bool)

// Environment is what the names in an expression stand for.
type Environment struct {
	// Attribute returns the reader of the attribute with this name, which has lower-case letters and digits only.
	// It is called while compiling.
	Attribute func(name string) Attribute
	// Functions are those beside the specification's.
	Functions []Function
}

// Expression is a compiled expression. It is immutable: any number of goroutines may evaluate it at the same time.
type Expression struct {
	root    node
	missing []string
}

// MissingFunctions names the functions that the expression calls and that do not exist, with their numbers of arguments. Such a call is
// an error of each evaluation.
func (x *Expression) MissingFunctions() []string { return x.missing }

// Compile returns a *SyntaxError for an expression that the grammar does not have, and an error for one beyond the bounds. A call of
// a function that does not exist is an error of the evaluation, as the specification wants it.
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
		p.failAt(end, "expected an operator or the end, found %s", told(end))
	}
	if p.err != nil {
		return nil, p.err
	}
	return &Expression{root, p.missing}, nil
}

// Evaluate returns the value, and the kinds of errors on the way to it.
func (x *Expression) Evaluate(attributes []event.Attribute) (Value, Errors) {
	r := x.root.eval(attributes)
	if r.missing() {
		return BooleanValue(false), r.errors
	}
	return r.Value, r.errors
}

// Matches reports whether an event with these attributes passes the expression as a filter: whether its value, cast to a Boolean,
// is true and the evaluation met no error but missing attributes.
func (x *Expression) Matches(attributes []event.Attribute) bool {
	matches, _ := x.Decide(attributes)
	return matches
}

// Decide is Matches that tells a false one, with undecided, from one that may be true later: a function could not tell yet.
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

// result is what a node yields. Only that of a missing attribute has no value: its type is Any.
type result struct {
	Value
	errors Errors
}

func (r result) missing() bool { return r.typ == Any }

// failed is the result of what could not be applied: the zero value of its type.
func failed(t Type, errors Errors) result { return result{Value{typ: t}, errors} }

// truth is a Boolean without an error.
func truth(b bool) result { return result{BooleanValue(b), 0} }
