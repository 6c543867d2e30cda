package jetstream

import (
	"errors"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/dispatch"
)

var (
	// ErrServerTooOld means that the NATS server lacks message schedules, which parked events need (nats-server 2.12).
	ErrServerTooOld = errors.New("nats-server is too old: 2.12 or newer is needed")
	// ErrNoJetStream means that JetStream is not enabled for the account that the connection uses.
	ErrNoJetStream = errors.New("JetStream is not enabled for this NATS account")
	// ErrForeignRoute means that another owner wrote the route; it was left as it is.
	ErrForeignRoute = errors.New("the route belongs to another owner")
	// ErrConflict means that somebody else wrote the route since it was read; try again.
	ErrConflict = errors.New("the route was changed meanwhile")
	// ErrParkFull means that as many bytes are parked for the address as its log may hold.
	ErrParkFull = dispatch.ErrParkFull
	// ErrNotStored means that NATS did not confirm a message.
	ErrNotStored = errors.New("not stored")
	// ErrImmutable means that NATS cannot change a field of a live stream or consumer; the message names the field.
	ErrImmutable = errors.New("NATS cannot change this field of a live stream")
	// ErrTooManyTargets means that as many targets share the consumer of the address as NATS can name in its metadata.
	ErrTooManyTargets = errors.New("the address has as many targets as it may")
	// ErrSweeping means that what the route had before is being removed at this moment; try again.
	ErrSweeping = errors.New("what the route had before is being removed")
	// ErrNoStream means that the stream which an address is to adopt is not there.
	ErrNoStream = errors.New("there is no such stream")
	// ErrNotAdoptable means that a stream is not one that an address may adopt: it is one of ours, or a bucket.
	ErrNotAdoptable = errors.New("the stream cannot be adopted")
)
