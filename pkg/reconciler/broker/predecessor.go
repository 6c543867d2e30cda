package broker

import (
	"context"
	"time"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/route"
)

// predecessor is a Broker of the same name that was deleted and whose log cannot become what the new one wants.
type predecessor struct {
	// address is the new Broker's.
	address route.Address
	before  *jetstream.PredecessorError
}

// awaitPredecessor sets ConditionStream of a Broker that was deleted and made again with, say, another storage. The log of the
// one before it is kept as long as that of any deleted Broker, less only when nobody needs anything of it. That the one before
// is gone is not taken from a cache: an old one would end the new Broker.
func (r *Reconciler) awaitPredecessor(ctx context.Context, w *work, p predecessor) {
	w.retry = retryAfter
	uid, err := r.live(ctx, keyOf(w.broker))
	switch {
	case err != nil:
		w.status.MarkUnknown(ConditionStream, ReasonPredecessor, "%v; whether that resource is gone cannot be read: %v", p.before, err)
		return
	case uid != w.broker.UID:
		w.status.MarkUnknown(ConditionStream, ReasonPredecessor, "this Broker is no longer the one of this name")
		return
	}
	until, err := r.routes.EndPredecessor(ctx, p.address, p.before)
	switch {
	case err != nil:
		w.status.MarkFalse(ConditionStream, putReason(err), "%v", err)
	case until.IsZero():
		w.status.MarkUnknown(ConditionStream, ReasonPredecessor, "the log of the Broker of this name before it was removed")
		w.retry = time.Millisecond // there is room now
	default:
		w.status.MarkUnknown(ConditionStream, ReasonPredecessor,
			"waits for the log of the Broker of this name before it, which has another %s: until %s, or until all that it holds is delivered",
			p.before.Field, until.UTC().Format(time.RFC3339))
		w.retry = max(min(retryAfter, time.Until(until)), time.Millisecond)
	}
}
