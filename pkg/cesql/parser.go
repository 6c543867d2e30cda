package cesql

import (
	"fmt"
	"strconv"
)

// parser makes nodes of tokens by precedence climbing. Source: CESQLParser.g4.
type parser struct {
	text        string
	environment Environment
	// tokens are those left to read; the end stays.
	tokens []token
	depth  int
	// missing are the calls of functions that do not exist.
	missing []string
	// err is the first error. After it the parser is at the end, and its nodes mean nothing.
	err error
}

func (p *parser) next() token { return p.tokens[0] }

func (p *parser) take() token {
	t := p.tokens[0]
	if t.kind != tokenEnd {
		p.tokens = p.tokens[1:]
	}
	return t
}

// accept takes the next token if it is of this kind.
func (p *parser) accept(kind string) bool {
	if p.next().kind != kind {
		return false
	}
	p.take()
	return true
}

func (p *parser) expect(kind string) {
	if found := p.next(); !p.accept(kind) {
		p.failAt(found, "expected %q, found %s", kind, told(found))
	}
}

func (p *parser) failAt(t token, format string, arguments ...any) {
	if p.err == nil {
		p.err = newSyntaxError(p.text, t.at, fmt.Sprintf(format, arguments...))
	}
	p.tokens = p.tokens[len(p.tokens)-1:]
}

// deeper reads what is inside of something, so that no expression can exhaust the stack.
func (p *parser) deeper(read func() node) node {
	if p.depth == MaxDepth {
		p.failAt(p.next(), "nested more than %d deep", MaxDepth)
		return nil
	}
	p.depth++
	defer func() { p.depth-- }()
	return read()
}

// told is how an error calls a token.
func told(t token) string {
	switch {
	case t.kind == tokenEnd:
		return "the end"
	case t.kind == tokenString:
		return "a string"
	case t.kind == tokenInteger && !isDigit(t.text[0]):
		return fmt.Sprintf("the number %s (an operator has a space before the number)", shortened(t.text))
	default:
		return strconv.Quote(shortened(t.text))
	}
}

// shortened keeps errors readable.
func shortened(text string) string {
	const most = 40
	if len(text) <= most {
		return text
	}
	return text[:most] + "..."
}
