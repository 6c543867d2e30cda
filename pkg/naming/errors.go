package naming

import "errors"

var (
	// ErrPrefix means that a prefix is not 1 to 16 letters, digits and dashes, or is NATS's own.
	ErrPrefix = errors.New("invalid prefix")
	// ErrKey means that a KV key is neither an address's nor a target's.
	ErrKey = errors.New("not a route's key")
	// ErrSubject means that a subject is not one of this installation's trim subjects.
	ErrSubject = errors.New("not a trim subject")
)
