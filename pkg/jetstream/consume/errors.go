package consume

import "errors"

// ErrLostRoute is why nobody reads a log: the record of a target is lost. Its owner writes it again.
var ErrLostRoute = errors.New("the route of a target that shares its consumer is lost")

// errNotVerified is why a target is not served in the first moment: nobody has looked yet whether its consumer can be read.
var errNotVerified = errors.New("its consumer is not read yet")
