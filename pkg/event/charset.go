package event

import (
	"fmt"
	"mime"
	"slices"
	"strings"
)

// checkBody makes sure that body is one JSON value, and before that the content type announces no other charset than UTF-8, which JSON
// has to be in (RFC 8259 8.1). Errors: ErrCharset, ErrMalformed.
func checkBody(contentType string, body []byte) error {
	_, parameters, _ := strings.Cut(contentType, ";")
	if parameters = strings.TrimSpace(parameters); parameters != "" && !strings.EqualFold(parameters, "charset=utf-8") {
		_, values, err := mime.ParseMediaType(contentType)
		if !isUTF8(values["charset"]) || err != nil && strings.Contains(strings.ToLower(parameters), "charset") {
			return fmt.Errorf("%w of %.100q", ErrCharset, contentType)
		}
	}
	return checkJSON(body)
}

// isUTF8 reports whether text in this charset, none by default, is UTF-8 as it stands.
func isUTF8(charset string) bool {
	return slices.Contains([]string{"", "utf-8", "utf8", "us-ascii"}, strings.ToLower(charset))
}
