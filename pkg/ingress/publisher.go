package ingress

import (
	"context"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/event"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/route"
)

// Message is one event on its way into an address's log. ID makes storing it idempotent: the same ID is stored once.
type Message struct {
	ID    string
	Event event.Event
}

// Publisher stores events in the log of an address.
type Publisher interface {
	// Publish returns once every message is stored, or with the number stored so far and the first failure: ErrUnavailable
	// when NATS could not be reached before ctx ended, a *LogFullError, ErrAttributesTooLarge or ErrEventTooLarge.
	// It retries inside ctx with the same IDs. Safe for concurrent use.
	Publish(ctx context.Context, to route.Address, messages []Message) (stored int, err error)
}

// Addresses finds the address that a request names.
type Addresses interface {
	Address(key route.Key) (route.Address, bool)
	// Host finds the address that is served under a host name, which comes in lower case.
	Host(host string) (route.Address, bool)
}
