package manifest

import (
	"context"
	"errors"
	"fmt"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/owner"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/routes"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/route"
)

// RouteWriter makes the streams, cursors and routes of single addresses and targets. It is what owner.Owner does.
type RouteWriter interface {
	PutAddress(ctx context.Context, a route.Address) (owner.Applied, error)
	PutTarget(ctx context.Context, t route.Target) (owner.Applied, error)
}

// Put writes the desired routes, addresses before their targets, and returns what went wrong for each that could not be written, or
// that was written and lacks something (see owner.Applied). One that fails keeps no other from being written; only the targets of
// an address that failed are left out, and said to be.
func Put(ctx context.Context, to RouteWriter, d Desired) error {
	lacking, err := write(ctx, to, d)
	return errors.Join(lacking, err)
}

func write(ctx context.Context, to RouteWriter, d Desired) (lacking, err error) {
	var errs []error
	failed := map[route.Key]bool{}
	for _, a := range d.Addresses {
		applied, err := to.PutAddress(ctx, a)
		if err != nil {
			failed[a.Key] = true
			errs = append(errs, fmt.Errorf("%s: %w", a.Key, err))
		}
		if applied.Lacking != nil {
			lacking = errors.Join(lacking, fmt.Errorf("%s: %w", a.Key, applied.Lacking))
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
	return lacking, errors.Join(errs...)
}

// Missing returns what of the desired routes is not among the records.
func Missing(d Desired, records []routes.StoredRecord) Desired {
	have := namesOf(Desired{})
	for _, r := range records {
		if r.Address != nil {
			have.addresses[r.Address.Key] = true
		} else {
			have.targets[r.Target.Key] = true
		}
	}
	var missing Desired
	for _, a := range d.Addresses {
		if !have.addresses[a.Key] {
			missing.Addresses = append(missing.Addresses, a)
		}
	}
	for _, t := range d.Targets {
		if !have.targets[t.Key] {
			missing.Targets = append(missing.Targets, t)
		}
	}
	return missing
}

// Unnamed returns the routes among the records that are not among the desired ones.
func Unnamed(d Desired, records []routes.StoredRecord) Desired {
	named := namesOf(d)
	var unnamed Desired
	for _, r := range records {
		switch {
		case named.has(r.Record):
		case r.Address != nil:
			unnamed.Addresses = append(unnamed.Addresses, *r.Address)
		default:
			unnamed.Targets = append(unnamed.Targets, *r.Target)
		}
	}
	return unnamed
}

// RouteRemover ends routes.
type RouteRemover interface {
	Owned(ctx context.Context) ([]routes.StoredRecord, error)
	RemoveTarget(ctx context.Context, key route.TargetKey) error
	RemoveAddress(ctx context.Context, key route.Key) error
}

// Remove ends the routes of the desired resources; the targets of an address that goes, go too. It returns those that it ended.
func Remove(ctx context.Context, owner RouteRemover, d Desired) ([]Ended, error) {
	named := namesOf(d)
	return end(ctx, owner, func(r route.Record) bool {
		return named.has(r) || r.Target != nil && named.addresses[r.Target.Key.Address]
	})
}
