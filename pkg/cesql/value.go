package cesql

import (
	"strconv"
	"strings"
)

// Type is a type of the language.
type Type uint8

// The types of the language. A parameter of the type Any takes a value of any type.
const (
	Any Type = iota
	Boolean
	Integer
	String
)

// Value is a Boolean, an Integer or a String.
type Value struct {
	text string
	// number is 0 or 1 for a Boolean.
	number int32
	typ    Type
}

// BooleanValue returns a Boolean.
func BooleanValue(b bool) Value {
	if b {
		return Value{typ: Boolean, number: 1}
	}
	return Value{typ: Boolean}
}

// IntegerValue returns an Integer.
func IntegerValue(n int32) Value { return Value{typ: Integer, number: n} }

// StringValue returns a String.
func StringValue(text string) Value { return Value{typ: String, text: text} }

// Type is Boolean, Integer or String.
func (v Value) Type() Type { return v.typ }

// Truth returns the value of a Boolean.
func (v Value) Truth() bool { return v.number != 0 }

// Number returns the value of an Integer.
func (v Value) Number() int32 { return v.number }

// Text returns the value of a String.
func (v Value) Text() string { return v.text }

// Errors is a set of kinds of errors.
type Errors uint8

// The kinds of errors that an evaluation can meet (3.3).
const (
	MissingAttributeError Errors = 1 << iota
	MissingFunctionError
	CastError
	MathError
	FunctionEvaluationError
	// Undecided is not of the specification: a function cannot tell yet, and may be able to later.
	Undecided
)

// to casts a value (3.7). With a CastError it returns the zero value.
func (v Value) to(t Type) (Value, Errors) {
	switch {
	case t == v.typ || t == Any:
		return v, 0
	case t == String && v.typ == Integer:
		return StringValue(strconv.Itoa(int(v.number))), 0
	case t == String:
		return StringValue(strconv.FormatBool(v.Truth())), 0
	case v.typ == String && t == Integer:
		return parseInteger(v.text)
	case v.typ == String:
		return parseBoolean(v.text)
	case t == Boolean:
		return BooleanValue(v.number != 0), 0
	default:
		return IntegerValue(v.number), 0
	}
}

func parseBoolean(text string) (Value, Errors) {
	switch {
	case strings.EqualFold(text, "true"):
		return BooleanValue(true), 0
	// EqualFold takes ſ for s.
	case len(text) == len("false") && strings.EqualFold(text, "false"):
		return BooleanValue(false), 0
	default:
		return BooleanValue(false), CastError
	}
}

// parseInteger is strconv.ParseInt without its error, which would cost an allocation per event.
func parseInteger(text string) (Value, Errors) {
	digits, negative := text, false
	if text != "" && (text[0] == '+' || text[0] == '-') {
		digits, negative = text[1:], text[0] == '-'
	}
	if digits == "" {
		return IntegerValue(0), CastError
	}
	n := int64(0)
	for i := range len(digits) {
		if digits[i] < '0' || '9' < digits[i] {
			return IntegerValue(0), CastError
		}
		// Stop at one digit too many, before n overflows.
		if n = n*10 + int64(digits[i]-'0'); n > 1<<31 {
			return IntegerValue(0), CastError
		}
	}
	if negative {
		n = -n
	}
	if n != int64(int32(n)) {
		return IntegerValue(0), CastError
	}
	return IntegerValue(int32(n)), 0
}
