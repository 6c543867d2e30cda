package consume

import (
	"errors"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/route"
)

// ErrLostRoute is why nobody reads a log: the record of a target is lost. Its owner writes it again.
var ErrLostRoute = errors.New("the route of a target that shares its consumer is lost")

// errNotRead is why a target is not served in the first moments, for patience at most: the record of another one that has just joined its
// consumer is on its way. What lasts longer is told.
var errNotRead = errors.New(route.NotRead)

const patience = 3 * jetstream.RetryPause
