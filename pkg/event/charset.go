package event

import (
	"fmt"
	"mime"
	"slices"
	"strings"
)

// checkCharset makes sure that the content type of JSON announces no other charset than UTF-8, which
// JSON has to be in (RFC 8259 8.1). Errors: ErrCharset.
func checkCharset(contentType string) error {
	_, parameters, _ := strings.Cut(contentType, ";")
	if parameters = strings.TrimSpace(parameters); parameters != "" && !strings.EqualFold(parameters, "charset=utf-8") {
		_, values, err := mime.ParseMediaType(contentType)
		if !isUTF8(values["charset"]) || err != nil && strings.Contains(strings.ToLower(parameters), "charset") {
			return fmt.Errorf("%w of %.100q", ErrCharset, contentType)
		}
	}
	return nil
}

// isUTF8 reports whether text in this charset, none by default, is UTF-8 as it stands.
func isUTF8(charset string) bool {
	return slices.Contains([]string{"", "utf-8", "utf8", "us-ascii"}, strings.ToLower(charset))
}
