package delivery

import "errors"

// ErrPermanent marks, by errors.Is, a failure that is not retried: a reply without hops left, say.
var ErrPermanent = errors.New("permanent failure")
