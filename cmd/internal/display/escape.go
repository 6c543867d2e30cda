package display

import (
	"fmt"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Escape makes a value from outside harmless for a terminal: everything that is not printed as a character of its own, such as
// escape sequences, line breaks and marks that reverse the text's direction, is written as Go would in a string. The
// runes in keep stay as they are.
func Escape(value, keep string) string {
	harmless := func(r rune) bool { return unicode.IsPrint(r) || strings.ContainsRune(keep, r) }
	if utf8.ValidString(value) && strings.IndexFunc(value, func(r rune) bool { return !harmless(r) }) < 0 {
		return value
	}
	var out strings.Builder
	for i := 0; i < len(value); {
		r, size := utf8.DecodeRuneInString(value[i:])
		switch {
		case r == utf8.RuneError && size == 1: // a byte that is not UTF-8
			fmt.Fprintf(&out, `\x%02x`, value[i])
		case !harmless(r):
			out.WriteString(strings.Trim(strconv.QuoteRune(r), "'"))
		default:
			out.WriteString(value[i : i+size])
		}
		i += size
	}
	return out.String()
}
