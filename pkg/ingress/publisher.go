package ingress

import (
	"context"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/event"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/route"
)

// Message is one event to be stored in an address's log. Each ID is stored once.
type Message struct {
	ID    string
	Event event.Event
}

// Publisher stores events in the log of an address.
type Publisher interface {
	// Publish stores all messages, or returns the number stored so far and the first failure:
	// ErrUnavailable when NATS did not confirm before ctx ended, a *LogFullError,
	// ErrAttributesTooLarge or ErrEventTooLarge. It retries within ctx. Safe for concurrent use.
	Publish(ctx context.Context, to route.Address, messages []Message) (stored int, err error)
}

// Addresses finds the address of a request.
type Addresses interface {
	Address(key route.Key) (route.Address, bool)
	// Host returns the address with this host name, which is in lower case.
	Host(host string) (route.Address, bool)
}
