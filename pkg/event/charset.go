package event

import (
	"fmt"
	"slices"
	"strings"
)

// checkCharset makes sure that the content type of JSON announces no other charset than UTF-8, which
// JSON has to be in (RFC 8259 8.1). UTF-8 is taken however the announcement is written. Errors:
// ErrCharset.
func checkCharset(contentType string) error {
	_, parameters, _ := strings.Cut(contentType, ";")
	for parameter := range strings.SplitSeq(parameters, ";") {
		name, value, _ := strings.Cut(parameter, "=")
		if strings.EqualFold(strings.TrimSpace(name), "charset") && !isUTF8(strings.Trim(value, " \t\"'")) {
			return fmt.Errorf("%w of %.100q", ErrCharset, contentType)
		}
	}
	return nil
}

// isUTF8 reports whether text in this charset, none by default, is UTF-8 as it stands.
func isUTF8(charset string) bool {
	return slices.Contains([]string{"", "utf-8", "utf8", "us-ascii"}, strings.ToLower(charset))
}
