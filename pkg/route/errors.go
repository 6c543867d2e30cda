package route

import "errors"

// ErrRecord means that a value in the routes bucket is not a record that this version understands.
var ErrRecord = errors.New("not a route record")
