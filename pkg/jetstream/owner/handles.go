package owner

import (
	"context"
	"fmt"
	"time"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/routes"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/naming"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/route"
)

// ControllerName is the owner of a cluster's routes. What is wanted of these is in annotations alone.
const ControllerName = "controller"

// Handles are what operators want of targets beside the files (see package handles).
type Handles interface {
	// Merge enters in the target what is wanted of the target now, in place of what was before.
	Merge(ctx context.Context, t *route.Target) error
	// Forget ends what is wanted of the address or target with this key of the routes bucket.
	Forget(ctx context.Context, key string) error
}

// MergeTarget writes the target's route again if other handles count for the target now, and returns
// the target. Whoever changes a handle calls MergeTarget after that: a Put at the same moment has
// either read the handle, or is overtaken by one of the two compare-and-sets.
// Errors: ErrNoRoute; ErrForeignRoute; ErrSweeping.
func (o *Owner) MergeTarget(ctx context.Context, key route.TargetKey) (route.Target, error) {
	for {
		have, err := o.present(ctx, naming.TargetKey(key))
		if err != nil {
			return route.Target{}, err
		}
		if have.Target == nil || have.DeletedAt != nil {
			return route.Target{}, fmt.Errorf("%s: %w", key, ErrNoRoute)
		}
		wanted := *have.Target
		if err := o.mergeHandles(ctx, &wanted, have); err != nil {
			return route.Target{}, err
		}
		_, written, err := o.swapRecord(ctx, routes.StoredRecord{Record: route.Record{Target: &wanted}, Revision: have.Revision})
		if err != nil || written {
			return wanted, err
		}
	}
}

// mergeHandles enters in the target what operators want, and since when the target is paused.
func (o *Owner) mergeHandles(ctx context.Context, t *route.Target, have routes.StoredRecord) error {
	if o.Handles != nil {
		if err := o.Handles.Merge(ctx, t); err != nil {
			return err
		}
	}
	var before route.Target
	if have.Target != nil && have.DeletedAt == nil {
		before = *have.Target
	}
	if !t.PausedByHandle { // which says so
		t.PausedSince = o.pausedSince(t.Paused, before.Paused, before.PausedSince)
	}
	return nil
}

// notePause enters in the address since when its annotation pauses its targets.
func (o *Owner) notePause(a *route.Address, have routes.StoredRecord) {
	var before route.Address
	if have.Address != nil && have.DeletedAt == nil {
		before = *have.Address
	}
	a.PausedSince = o.pausedSince(a.Paused, before.Paused, before.PausedSince)
}

// pausedSince is since when that has been paused which is paused now for the reason why. before and since are what the record says.
func (o *Owner) pausedSince(why, before string, since time.Time) time.Time {
	switch {
	case why == "":
		return time.Time{}
	case before != "" && !since.IsZero():
		return since
	}
	return o.client.Timing().Now().UTC().Truncate(time.Second)
}

func (o *Owner) forgetHandle(ctx context.Context, key string) error {
	if o.Handles == nil {
		return nil
	}
	return o.Handles.Forget(ctx, key)
}
