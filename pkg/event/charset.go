package event

import (
	"fmt"
	"slices"
	"strings"
)

// checkCharset returns ErrCharset when the content type of JSON announces a charset other than
// UTF-8, the only one of JSON (RFC 8259 8.1).
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

// isUTF8 reports whether text in this charset, UTF-8 by default, can be read as UTF-8.
func isUTF8(charset string) bool {
	return slices.Contains([]string{"", "utf-8", "utf8", "us-ascii"}, strings.ToLower(charset))
}
