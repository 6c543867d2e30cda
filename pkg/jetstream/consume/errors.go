package consume

import (
	"errors"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/route"
)

// ErrLostRoute means that a log is not read because a member has no record. Its owner writes one.
var ErrLostRoute = errors.New("the route of a target that shares its consumer is lost")

// errNotRead stands for every failure of a reader that has not lasted for patience: the record of a
// member that has just joined the consumer is usually on its way.
var errNotRead = errors.New(route.NotRead)

const patience = 3 * jetstream.RetryPause
