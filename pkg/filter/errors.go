package filter

import "errors"

// ErrInvalidFilter means that a Spec can't be compiled; the error names the place in the Spec and what is wrong with it.
var ErrInvalidFilter = errors.New("invalid filter")
