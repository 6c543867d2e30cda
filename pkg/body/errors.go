package body

import "errors"

var (
	// ErrCoding means that the body has a content coding that Decode does not know.
	ErrCoding = errors.New("no support for the content coding")
	// ErrCoded means that the body is not coded as its Content-Encoding says: cut off, damaged, or
	// followed by something else.
	ErrCoded = errors.New("the body is not what its Content-Encoding says")
	// ErrTooLarge means that the body is too large once its content coding is taken off.
	ErrTooLarge = errors.New("the decoded body is too large")
)
