package cesql

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// SyntaxError says where and why an expression is malformed.
type SyntaxError struct {
	// Line and Column are counted from 1, the column in characters.
	Line, Column int
	Message      string
}

func newSyntaxError(text string, at int, message string) *SyntaxError {
	before := text[:at]
	lineStart := strings.LastIndexByte(before, '\n') + 1
	return &SyntaxError{1 + strings.Count(before, "\n"), 1 + utf8.RuneCountInString(before[lineStart:]), message}
}

// Error names the line only if the expression has several.
func (e *SyntaxError) Error() string {
	if e.Line > 1 {
		return fmt.Sprintf("line %d, column %d: %s", e.Line, e.Column, e.Message)
	}
	return fmt.Sprintf("column %d: %s", e.Column, e.Message)
}
