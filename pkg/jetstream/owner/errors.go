package owner

import "errors"

var (
	// ErrForeignRoute means that another owner wrote the route; it was left as it is.
	ErrForeignRoute = errors.New("the route belongs to another owner")
	// ErrNoRoute means that there is no live route at the key.
	ErrNoRoute = errors.New("there is no such route")
	// ErrConflict means that somebody else wrote the route since it was read; try again.
	ErrConflict = errors.New("the route was changed meanwhile")
	// ErrImmutable means that NATS cannot change a field of a live stream or consumer; the message names the field.
	ErrImmutable = errors.New("NATS cannot change this field of a live stream")
	// ErrHoldsMore means that a limit of a dead-letter stream was not applied, because the stream holds letters that the limit would drop.
	ErrHoldsMore = errors.New("it holds dead letters that this limit would drop")
	// ErrTooManyTargets means that as many targets share the consumer of the address as NATS can name in its metadata.
	ErrTooManyTargets = errors.New("the address has as many targets as it may")
	// ErrSweeping means that what the route had before is being removed at this moment; try again.
	ErrSweeping = errors.New("what the route had before is being removed")
	// ErrNoStream means that the stream which an address is to adopt is not there.
	ErrNoStream = errors.New("there is no such stream")
	// ErrNotAdoptable means that a stream is not one that an address may adopt: it is one of ours, or a bucket.
	ErrNotAdoptable = errors.New("the stream cannot be adopted")
)
