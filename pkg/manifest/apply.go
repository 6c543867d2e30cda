package manifest

import (
	"context"
	"errors"
	"fmt"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/route"
)

// RouteWriter makes the streams, cursors and routes of single addresses and targets. It is what jetstream.Owner does.
type RouteWriter interface {
	PutAddress(ctx context.Context, a route.Address) (jetstream.Applied, error)
	PutTarget(ctx context.Context, t route.Target) (jetstream.Applied, error)
}

// Put writes the desired routes, addresses before their targets, and returns what went wrong for each that could not be written.
// One that fails keeps no other from being written; only the targets of an address that failed are left out, and said to be.
func Put(ctx context.Context, to RouteWriter, d Desired) error {
	var errs []error
	failed := map[route.Key]bool{}
	for _, a := range d.Addresses {
		if _, err := to.PutAddress(ctx, a); err != nil {
			failed[a.Key] = true
			errs = append(errs, fmt.Errorf("%s: %w", a.Key, err))
		}
	}
	for _, t := range d.Targets {
		if failed[t.Key.Address] {
			errs = append(errs, fmt.Errorf("%s: waits for %s", t.Key, t.Key.Address))
			continue
		}
		if _, err := to.PutTarget(ctx, t); err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", t.Key, err))
		}
	}
	return errors.Join(errs...)
}

// RouteOwner writes routes and knows which are its own. It is what jetstream.Owner does.
type RouteOwner interface {
	RouteWriter
	RouteRemover
}

// RouteRemover ends routes.
type RouteRemover interface {
	Owned(ctx context.Context) ([]jetstream.StoredRecord, error)
	RemoveTarget(ctx context.Context, key route.TargetKey) error
	RemoveAddress(ctx context.Context, key route.Key) error
}

// Replace makes the owner's routes equal to the desired ones: it puts those, and ends the others that this owner has.
func Replace(ctx context.Context, owner RouteOwner, d Desired) error {
	if err := Put(ctx, owner, d); err != nil {
		return err // what could not be written yet must not make anything else go
	}
	own, err := owner.Owned(ctx)
	if err != nil {
		return err
	}
	addresses, targets := d.keys()
	var errs []error
	for _, r := range own {
		if r.Target != nil && !targets[r.Target.Key] {
			errs = append(errs, owner.RemoveTarget(ctx, r.Target.Key))
		}
	}
	for _, r := range own {
		if r.Address != nil && !addresses[r.Address.Key] {
			errs = append(errs, owner.RemoveAddress(ctx, r.Address.Key))
		}
	}
	return errors.Join(errs...)
}

// Remove ends the routes of the desired resources; the targets of an address that goes, go too.
func Remove(ctx context.Context, owner RouteRemover, d Desired) (removed []string, err error) {
	own, err := owner.Owned(ctx)
	if err != nil {
		return nil, err
	}
	addresses, targets := d.keys()
	var errs []error
	for _, r := range own {
		if r.Target != nil && (targets[r.Target.Key] || addresses[r.Target.Key.Address]) {
			errs = append(errs, owner.RemoveTarget(ctx, r.Target.Key))
			removed = append(removed, r.Target.Key.String())
		}
	}
	for _, r := range own {
		if r.Address != nil && addresses[r.Address.Key] {
			errs = append(errs, owner.RemoveAddress(ctx, r.Address.Key))
			removed = append(removed, r.Address.Key.String())
		}
	}
	return removed, errors.Join(errs...)
}

func (d Desired) keys() (map[route.Key]bool, map[route.TargetKey]bool) {
	addresses, targets := map[route.Key]bool{}, map[route.TargetKey]bool{}
	for _, a := range d.Addresses {
		addresses[a.Key] = true
	}
	for _, t := range d.Targets {
		targets[t.Key] = true
	}
	return addresses, targets
}
