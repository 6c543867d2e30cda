package cesql

import "github.com/eventing-jetstream/eventing-jetstream/pkg/event"

// Function is a function beside the specification's. Its arguments are cast before the call.
type Function struct {
	// Name is in upper case, with letters and _ only.
	Name       string
	Parameters []Type
	Returns    Type
	// Call must be safe for concurrent use, and must not keep the arguments.
	Call func(arguments []Value) (Value, Errors)
}

// maxParameters bounds the parameters of the specification's functions, except variadic ones.
const maxParameters = 3

// builtin is a function of the specification. Its arguments are an array, which is not allocated.
type builtin struct {
	parameters []Type
	returns    Type
	call       func([maxParameters]Value) (Value, Errors)
}

// newCall finds the function with this upper-case name and number of arguments.
func newCall(name string, arguments []node, functions []Function) node {
	if name == "CONCAT" || name == "CONCAT_WS" && len(arguments) > 0 {
		return concat{name == "CONCAT_WS", arguments}
	}
	if b, ok := findBuiltin(name, len(arguments)); ok {
		return builtinCall{b, arguments}
	}
	for _, f := range functions {
		if f.Name == name && len(f.Parameters) == len(arguments) {
			return functionCall{f, arguments}
		}
	}
	return missingFunction{}
}

func findBuiltin(name string, arity int) (builtin, bool) {
	text, textAndNumber := []Type{String}, []Type{String, Integer}
	var b builtin
	switch name {
	case "INT":
		b = builtin{[]Type{Any}, Integer, castTo(Integer)}
	case "BOOL":
		b = builtin{[]Type{Any}, Boolean, castTo(Boolean)}
	case "STRING":
		b = builtin{[]Type{Any}, String, castTo(String)}
	case "IS_INT":
		b = builtin{[]Type{Any}, Boolean, castable(Integer)}
	case "IS_BOOL":
		b = builtin{[]Type{Any}, Boolean, castable(Boolean)}
	case "ABS":
		b = builtin{[]Type{Integer}, Integer, abs}
	case "LENGTH":
		b = builtin{text, Integer, length}
	case "LOWER":
		b = builtin{text, String, lower}
	case "UPPER":
		b = builtin{text, String, upper}
	case "TRIM":
		b = builtin{text, String, trim}
	case "LEFT":
		b = builtin{textAndNumber, String, left}
	case "RIGHT":
		b = builtin{textAndNumber, String, right}
	case "SUBSTRING":
		b = builtin{textAndNumber, String, substringToEnd}
		if arity == 3 {
			b = builtin{[]Type{String, Integer, Integer}, String, substring}
		}
	}
	return b, b.call != nil && len(b.parameters) == arity
}

// missingFunction is a call of no function (3.5). Its arguments are not evaluated.
type missingFunction struct{}

func (missingFunction) eval([]event.Attribute) result { return failed(Boolean, MissingFunctionError) }

type builtinCall struct {
	function  builtin
	arguments []node
}

func (n builtinCall) eval(attributes []event.Attribute) result {
	var values [maxParameters]Value
	errors := evalAll(n.arguments, n.function.parameters[:], attributes, values[:])
	if errors != 0 {
		return failed(n.function.returns, errors)
	}
	value, errors := n.function.call(values)
	return result{value, errors}
}

// evalAll evaluates the arguments into values, cast to these types.
func evalAll(arguments []node, types []Type, attributes []event.Attribute, values []Value) (errors Errors) {
	for i, argument := range arguments {
		value, more := as(types[i], argument, attributes)
		values[i] = value
		errors |= more
	}
	return errors
}

type functionCall struct {
	function  Function
	arguments []node
}

func (n functionCall) eval(attributes []event.Attribute) result {
	values := make([]Value, len(n.arguments))
	errors := evalAll(n.arguments, n.function.Parameters, attributes, values)
	if errors != 0 {
		return failed(n.function.Returns, errors)
	}
	value, errors := n.function.Call(values)
	// 3.5.3: a function always has a value of its type.
	if value.typ != n.function.Returns {
		return failed(n.function.Returns, errors|FunctionEvaluationError)
	}
	return result{value, errors}
}
