package eventtype

import "errors"

// ErrRecord means that a value in the bucket is not the record of its key.
var ErrRecord = errors.New("not the record of an event type")
