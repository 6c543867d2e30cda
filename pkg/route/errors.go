package route

import "errors"

// ErrRecord means that a value in the routes bucket is no record, or one of a later format.
var ErrRecord = errors.New("not a route record")
