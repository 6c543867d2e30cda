package cesql

import (
	"fmt"
	"strconv"
)

// parser makes nodes from tokens by precedence climbing. Source: CESQLParser.g4.
type parser struct {
	text        string
	environment Environment
	// tokens are the rest of the tokens; the last one, tokenEnd, is never removed.
	tokens []token
	depth  int
	// missing are the called functions that do not exist.
	missing []string
	// err is the first error. After an error the parser is at tokenEnd, and its nodes mean nothing.
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
		p.failAt(found, "expected %q, found %s", kind, describe(found))
	}
}

func (p *parser) failAt(t token, format string, arguments ...any) {
	if p.err == nil {
		p.err = newSyntaxError(p.text, t.at, fmt.Sprintf(format, arguments...))
	}
	p.tokens = p.tokens[len(p.tokens)-1:]
}

// deeper reads a nested part, and bounds the nesting so that no expression exhausts the stack.
func (p *parser) deeper(read func() node) node {
	if p.depth == MaxDepth {
		p.failAt(p.next(), "nested more than %d deep", MaxDepth)
		return nil
	}
	p.depth++
	defer func() { p.depth-- }()
	return read()
}

// describe returns the name of a token in an error.
func describe(t token) string {
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

// shortened bounds the text that an error quotes.
func shortened(text string) string {
	const most = 40
	if len(text) <= most {
		return text
	}
	return text[:most] + "..."
}
