package body

import "errors"

var (
	// ErrCoding means that the body has a content coding that Decode does not know.
	ErrCoding = errors.New("no support for the content coding")
	// ErrCoded means that the body is not coded as its Content-Encoding says, or goes on after it.
	ErrCoded = errors.New("the body is not what its Content-Encoding says")
	// ErrTooLarge means that the decoded body is too large.
	ErrTooLarge = errors.New("the decoded body is too large")
)
