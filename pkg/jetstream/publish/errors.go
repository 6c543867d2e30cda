package publish

import "errors"

// ErrNotStored means that NATS did not confirm a message.
var ErrNotStored = errors.New("not stored")
