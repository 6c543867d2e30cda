package address

import (
	"context"
	"time"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/owner"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/route"
)

// predecessor is a resource of the same name that was deleted and whose log cannot become what the new one wants.
type predecessor struct {
	// address is the new resource's.
	address route.Address
	before  *owner.PredecessorError
}

// awaitPredecessor sets ConditionStream of a resource that was deleted and made again with, say, another storage. The log of the
// one before it is kept as long as that of any deleted resource, less only when nobody needs anything of it. That the one before
// is gone is not taken from a cache: an old one would end the new resource. It returns when to look again.
func (s Steps) awaitPredecessor(ctx context.Context, r Resource, p predecessor) time.Duration {
	uid, err := s.Live(ctx, r.Key())
	switch {
	case err != nil:
		r.Conditions.MarkUnknown(ConditionStream, ReasonPredecessor, "%v; whether that resource is gone cannot be read: %v", p.before, err)
		return RetryAfter
	case uid != r.GetUID():
		r.Conditions.MarkUnknown(ConditionStream, ReasonPredecessor, "this %s is no longer the one of this name", r.kind())
		return RetryAfter
	}
	until, err := s.Routes.EndPredecessor(ctx, p.address, p.before)
	switch {
	case err != nil:
		r.Conditions.MarkFalse(ConditionStream, putReason(err), "%v", err)
	case until.IsZero():
		r.Conditions.MarkUnknown(ConditionStream, ReasonPredecessor, "the log of the %s of this name before it was removed", r.kind())
		return time.Millisecond // there is room now
	default:
		r.Conditions.MarkUnknown(ConditionStream, ReasonPredecessor,
			"waits for the log of the %s of this name before it, which has another %s: until %s, or until all that it holds is delivered",
			r.kind(), p.before.Field, until.UTC().Format(time.RFC3339))
		return max(min(RetryAfter, time.Until(until)), time.Millisecond)
	}
	return RetryAfter
}
