package cesql

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// expression reads operands between AND, OR and XOR; in a loop, as there may be many.
func (p *parser) expression() node {
	first := p.binary(1)
	if !p.atLogic() {
		return first
	}
	chain := logic{operands: []node{first}}
	for p.atLogic() {
		chain.operators = append(chain.operators, p.take().kind)
		chain.operands = append(chain.operands, p.binary(1))
	}
	return chain
}

func (p *parser) atLogic() bool { return slices.Contains([]string{"AND", "OR", "XOR"}, p.next().kind) }

// precedence returns that of a binary operator other than AND, OR and XOR, and 0 for other tokens.
func precedence(kind string) int {
	switch kind {
	case "LIKE":
		return 5
	case "IN":
		return 4
	case "*", "/", "%":
		return 3
	case "+", "-":
		return 2
	case "=", "!=", "<>", "<", "<=", ">", ">=":
		return 1
	default:
		return 0
	}
}

// binary reads an operand and the operators after it of at least this precedence, which associate
// to the left.
func (p *parser) binary(least int) node {
	left := p.operand()
	for {
		operator, negated := p.ahead()
		tightness := precedence(operator.kind)
		if tightness == 0 || tightness < least {
			return left
		}
		p.accept("NOT")
		p.take()
		switch operator.kind {
		case "LIKE":
			left = p.like(left, negated)
		case "IN":
			p.expect("(")
			left = in{left, p.list(), negated}
		default:
			left = newBinary(operator.kind, left, p.binary(tightness+1))
		}
	}
}

// ahead returns the operator after an operand, and whether NOT precedes it.
func (p *parser) ahead() (operator token, negated bool) {
	if p.next().kind != "NOT" {
		return p.next(), false
	}
	operator = p.tokens[1]
	if operator.kind != "LIKE" && operator.kind != "IN" {
		p.failAt(operator, "expected LIKE or IN after NOT, found %s", describe(operator))
		return p.next(), false
	}
	return operator, true
}

func (p *parser) like(left node, negated bool) node {
	literal := p.take()
	if literal.kind != tokenString {
		p.failAt(literal, "expected a string after LIKE, found %s", describe(literal))
	}
	return like{left, newPattern(literal.text), negated}
}

// list reads one or more expressions and the closing parenthesis.
func (p *parser) list() []node {
	list := []node{p.deeper(p.expression)}
	for p.accept(",") {
		list = append(list, p.deeper(p.expression))
	}
	p.expect(")")
	return list
}

// operand reads an operand of binary operators, with the unary operators before it.
func (p *parser) operand() node {
	t := p.take()
	switch t.kind {
	case "NOT":
		return not{p.deeper(p.operand)}
	case "-":
		return negation{p.deeper(p.operand)}
	case "EXISTS":
		return exists{p.attribute(p.take())}
	case "(":
		inner := p.deeper(p.expression)
		p.expect(")")
		return inner
	case "TRUE", "FALSE":
		return literal{BooleanValue(t.kind == "TRUE")}
	case tokenString:
		return literal{StringValue(t.text)}
	case tokenInteger:
		return p.integer(t)
	case tokenWord:
		if p.accept("(") {
			return p.call(t)
		}
		return attribute{p.attribute(t)}
	default:
		p.failAt(t, "expected a value, found %s", describe(t))
		return nil
	}
}

func (p *parser) integer(t token) node {
	n, err := strconv.ParseInt(t.text, 10, 32)
	if err != nil {
		p.failAt(t, "%s is not an integer from -2147483648 to 2147483647", shortened(t.text))
	}
	return literal{IntegerValue(int32(n))}
}

func (p *parser) attribute(t token) Attribute {
	if t.kind != tokenWord || strings.Contains(t.text, "_") {
		p.failAt(t, "expected the name of an attribute, which has letters and digits only, found %s", describe(t))
		return nil
	}
	return p.environment.Attribute(strings.ToLower(t.text))
}

// call reads the arguments of a function.
func (p *parser) call(name token) node {
	if strings.ContainsAny(name.text, "0123456789") {
		p.failAt(name, "expected the name of a function, which has letters and _ only, found %s", describe(name))
	}
	var arguments []node
	if !p.accept(")") {
		arguments = p.list()
	}
	call := newCall(strings.ToUpper(name.text), arguments, p.environment.Functions)
	if _, missing := call.(missingFunction); missing {
		p.missing = append(p.missing, fmt.Sprintf("%s of %d arguments", shortened(strings.ToUpper(name.text)), len(arguments)))
	}
	return call
}
