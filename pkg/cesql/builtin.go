package cesql

import (
	"math"
	"strings"
	"unicode/utf8"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/event"
)

// arguments are those of a function of the specification.
type arguments = [maxParameters]Value

func castTo(t Type) func(arguments) (Value, Errors) {
	return func(a arguments) (Value, Errors) { return a[0].to(t) }
}

func castable(t Type) func(arguments) (Value, Errors) {
	return func(a arguments) (Value, Errors) {
		_, errors := a[0].to(t)
		return BooleanValue(errors == 0), 0
	}
}

func abs(a arguments) (Value, Errors) {
	x := a[0].number
	switch {
	case x == math.MinInt32:
		return IntegerValue(math.MaxInt32), MathError
	case x < 0:
		return IntegerValue(-x), 0
	default:
		return IntegerValue(x), 0
	}
}

func length(a arguments) (Value, Errors) {
	return IntegerValue(int32(utf8.RuneCountInString(a[0].text))), 0
}

func lower(a arguments) (Value, Errors) { return StringValue(strings.ToLower(a[0].text)), 0 }

func upper(a arguments) (Value, Errors) { return StringValue(strings.ToUpper(a[0].text)), 0 }

func trim(a arguments) (Value, Errors) { return StringValue(strings.TrimSpace(a[0].text)), 0 }

func left(a arguments) (Value, Errors) {
	text, n := a[0].text, int(a[1].number)
	if n < 0 {
		return a[0], FunctionEvaluationError
	}
	return StringValue(text[:offset(text, n)]), 0
}

func right(a arguments) (Value, Errors) {
	text, n := a[0].text, int(a[1].number)
	if n < 0 {
		return a[0], FunctionEvaluationError
	}
	return StringValue(text[offset(text, utf8.RuneCountInString(text)-n):]), 0
}

func substringToEnd(a arguments) (Value, Errors) {
	a[2] = IntegerValue(math.MaxInt32)
	return substring(a)
}

// substring counts from 1, or from the end if the position is negative; position 0 yields "".
func substring(a arguments) (Value, Errors) {
	text, position, size := a[0].text, int(a[1].number), int(a[2].number)
	characters := utf8.RuneCountInString(text)
	switch {
	case size < 0, position > characters, position < -characters:
		return StringValue(""), FunctionEvaluationError
	case position == 0:
		return StringValue(""), 0
	case position < 0:
		position += characters + 1
	}
	rest := text[offset(text, position-1):]
	return StringValue(rest[:offset(rest, size)]), 0
}

// offset returns the byte offset of the n-th character, from 0, or len(text) if there is none.
func offset(text string, n int) int {
	for at := range text {
		if n <= 0 {
			return at
		}
		n--
	}
	return len(text)
}

// concat is CONCAT or, with a delimiter as the first part, CONCAT_WS.
type concat struct {
	delimited bool
	parts     []node
}

func (n concat) eval(attributes []event.Attribute) result {
	var errors Errors
	var text strings.Builder
	delimiter := ""
	for i, part := range n.parts {
		x, more := as(String, part, attributes)
		switch errors |= more; {
		case errors != 0:
		case text.Len()+len(delimiter)+len(x.text) > MaxText:
			errors |= FunctionEvaluationError
		case n.delimited && i == 0:
			delimiter = x.text
		default:
			if n.delimited && i > 1 {
				text.WriteString(delimiter)
			}
			text.WriteString(x.text)
		}
	}
	if errors != 0 {
		return failed(String, errors)
	}
	return result{StringValue(text.String()), 0}
}
