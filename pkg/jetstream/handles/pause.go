package handles

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	natsjs "github.com/nats-io/nats.go/jetstream"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/owner"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/routes"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/naming"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/route"
)

// Named is a Broker, Channel, Trigger or Subscription as people name it.
type Named struct {
	// Of is the kind of the address: its own, or that of the target's.
	Of route.Kind
	// Target tells a Trigger or Subscription from its Broker or Channel.
	Target          bool
	Namespace, Name string
}

// Is reports whether this is the live route of what is named.
func (n Named) Is(r route.Record) bool {
	switch {
	case r.DeletedAt != nil:
		return false
	case r.Address != nil:
		return !n.Target && r.Address.Key == route.Key{Kind: n.Of, Namespace: n.Namespace, Name: n.Name}
	}
	return n.Target && r.Target.Key.Address.Kind == n.Of && r.Target.Key.Namespace == n.Namespace && r.Target.DisplayName() == n.Name
}

// Find returns the live route of what is named. Error: ErrNotFound.
func (h Handles) Find(ctx context.Context, n Named) (route.Record, error) {
	records, err := h.records(ctx)
	if err != nil {
		return route.Record{}, err
	}
	at := slices.IndexFunc(records, func(r routes.StoredRecord) bool { return n.Is(r.Record) })
	if at < 0 {
		return route.Record{}, ErrNotFound
	}
	return records[at].Record, nil
}

// Pause has what is named get nothing more, for this reason, until Resume, and returns the targets
// that this is about, as they are now: PausedByHandle is not set where an annotation says another reason.
// Errors: ErrNotFound, ErrOfCluster.
func (h Handles) Pause(ctx context.Context, n Named, why string) ([]route.Target, error) {
	return h.change(ctx, n, func(key string) error { return h.pause(ctx, key, why) })
}

// Resume ends what Pause has begun, and returns the targets that this is about, as they are now: one
// that an annotation pauses, or a handle of its Broker or Channel, stays paused, and so does a target of
// an address that has a handle of its own. Errors: ErrNotFound, ErrOfCluster.
func (h Handles) Resume(ctx context.Context, n Named) ([]route.Target, error) {
	return h.change(ctx, n, func(key string) error { return h.remove(ctx, key) })
}

// change changes the handle of what is named, and has the targets' routes say so.
func (h Handles) change(ctx context.Context, n Named, change func(key string) error) ([]route.Target, error) {
	found, err := h.Find(ctx, n)
	if err != nil {
		return nil, err
	}
	if found.Owner() == owner.ControllerName {
		return nil, ErrOfCluster
	}
	key := routes.RecordKey(found)
	if err := change(key); err != nil {
		return nil, err
	}
	// Read again: what was put since then may not know of the change.
	records, err := h.records(ctx)
	if err != nil {
		return nil, err
	}
	var targets []route.Target
	for _, r := range records {
		if r.Target == nil || r.DeletedAt != nil || key != routes.RecordKey(r.Record) && key != naming.AddressKey(r.Target.Key.Address) {
			continue
		}
		target, err := h.merged(ctx, r)
		if errors.Is(err, owner.ErrNoRoute) {
			continue // it has ended meanwhile
		}
		if err != nil {
			return targets, fmt.Errorf("%s: %w", r.Target.Key, err)
		}
		targets = append(targets, target)
	}
	return targets, nil
}

// records are those that can be read. Before the first apply there is none.
func (h Handles) records(ctx context.Context) ([]routes.StoredRecord, error) {
	records, err := routes.Records(ctx, h.client, "")
	if errors.Is(err, route.ErrRecord) || errors.Is(err, natsjs.ErrBucketNotFound) {
		err = nil
	}
	return records, err
}

// merged has the target's route say what is wanted now.
func (h Handles) merged(ctx context.Context, r routes.StoredRecord) (route.Target, error) {
	o := owner.New(h.client, r.Owner(), time.Hour) // which removes nothing here
	o.Handles = h
	return o.MergeTarget(ctx, r.Target.Key)
}
