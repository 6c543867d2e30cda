package eventtype

import "errors"

// ErrRecord means that a value in the bucket is not a record of the key that it stands at.
var ErrRecord = errors.New("not the record of an event type")
