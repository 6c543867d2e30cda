package cesql

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// Kinds of tokens. The kind of an operator, punctuation or keyword is its text in upper case.
const (
	tokenEnd     = "end"
	tokenWord    = "word"
	tokenInteger = "integer"
	tokenString  = "string"
)

// token is a token of the expression, which starts at byte at.
type token struct {
	kind string
	// text is the token's text; of a string, the content.
	text string
	at   int
}

// split returns the tokens of an expression, and tokenEnd last. Source: CESQLLexer.g4.
func split(text string) ([]token, error) {
	var tokens []token
	for at := 0; ; {
		at += len(text[at:]) - len(strings.TrimLeft(text[at:], " \t\r\n"))
		if at == len(text) {
			return append(tokens, token{kind: tokenEnd, at: at}), nil
		}
		next, length := scan(text[at:])
		if length == 0 {
			return nil, newSyntaxError(text, at, unknown(text[at:]))
		}
		next.at = at
		tokens = append(tokens, next)
		at += length
	}
}

func unknown(text string) string {
	if text[0] == '\'' || text[0] == '"' {
		return fmt.Sprintf("expected %c at the end of the string", text[0])
	}
	c, _ := utf8.DecodeRuneInString(text)
	return fmt.Sprintf("unexpected character %q", c)
}

// scan returns the token at the start and its length; 0 if there is none.
func scan(text string) (token, int) {
	for _, symbol := range []string{"!=", "<>", "<=", ">=", "=", "<", ">", "(", ")", ",", "*", "/", "%"} {
		if strings.HasPrefix(text, symbol) {
			return token{kind: symbol, text: symbol}, len(symbol)
		}
	}
	switch c := text[0]; {
	case c == '\'' || c == '"':
		return scanString(text)
	case c == '+' || c == '-':
		// A sign right before digits is part of the number, also after an operand.
		if length := 1 + run(text[1:], isDigit); length > 1 {
			return token{kind: tokenInteger, text: text[:length]}, length
		}
		return token{kind: text[:1], text: text[:1]}, 1
	case isLetter(c) || isDigit(c):
		return scanWord(text)
	default:
		return token{}, 0
	}
}

func scanWord(text string) (token, int) {
	length := run(text, func(c byte) bool { return isLetter(c) || isDigit(c) || c == '_' })
	word := text[:length]
	if run(word, isDigit) == length {
		return token{kind: tokenInteger, text: word}, length
	}
	switch keyword := strings.ToUpper(word); keyword {
	case "AND", "OR", "XOR", "NOT", "LIKE", "EXISTS", "IN", "TRUE", "FALSE":
		return token{kind: keyword, text: word}, length
	}
	return token{kind: tokenWord, text: word}, length
}

// scanString reads a string literal. A backslash or a doubled quote escapes the quote. A backslash
// before another character stays, for LIKE patterns; that character does not end the string.
func scanString(text string) (token, int) {
	quote := text[0]
	var meaning strings.Builder
	for i := 1; i < len(text); i++ {
		escapes := i+1 < len(text) && (text[i] == '\\' || text[i] == quote && text[i+1] == quote)
		switch {
		case escapes && text[i+1] == quote:
			meaning.WriteByte(quote)
			i++
		case escapes:
			meaning.WriteString(text[i : i+2])
			i++
		case text[i] == quote:
			return token{kind: tokenString, text: meaning.String()}, i + 1
		default:
			meaning.WriteByte(text[i])
		}
	}
	return token{}, 0
}

// run returns the length of the longest prefix of bytes with the property.
func run(text string, has func(byte) bool) int {
	for i := range len(text) {
		if !has(text[i]) {
			return i
		}
	}
	return len(text)
}

func isDigit(c byte) bool  { return '0' <= c && c <= '9' }
func isLetter(c byte) bool { return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' }
