package naming

import "errors"

var (
	// ErrPrefix means that an installation's prefix is not 1 to 16 letters, digits and dashes, or is one that NATS uses itself.
	ErrPrefix = errors.New("invalid prefix")
	// ErrKey means that a KV key names neither an address nor a target.
	ErrKey = errors.New("not a route's key")
	// ErrSubject means that a subject is not one of this installation's trim subjects.
	ErrSubject = errors.New("not a trim subject")
)
