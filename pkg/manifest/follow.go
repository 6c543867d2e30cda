package manifest

import (
	"context"
	"errors"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/routes"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/route"
)

// InNoFile is why a route is not served that is there from an earlier run and that no file names now.
const InNoFile = "in no file"

// RouteOwner writes routes and knows which are its own. It is what owner.Owner does.
type RouteOwner interface {
	RouteWriter
	RouteRemover
	Refuse(ctx context.Context, key route.Key, why string) error
}

// Follower keeps an owner's routes as the files want them that are followed. A route ends only when these files named it and name
// it no longer. One that is there when the following begins, and that no file names, may hold events that nobody has got: it is
// kept, and not served.
type Follower struct {
	owner RouteOwner
	named names
}

// NewFollower returns a Follower of files of which none is read yet.
func NewFollower(owner RouteOwner) *Follower {
	return &Follower{owner: owner, named: namesOf(Desired{})}
}

// Begin stops the service of the owner's routes that the files do not name when they are read first. It may be repeated.
func (f *Follower) Begin(ctx context.Context, d Desired) error {
	f.named.add(d)
	own, err := f.owner.Owned(ctx)
	if err != nil {
		return err
	}
	now := namesOf(d)
	var errs []error
	for _, r := range own {
		switch {
		case now.has(r.Record):
		case r.Address != nil:
			errs = append(errs, f.owner.Refuse(ctx, r.Address.Key, InNoFile))
		case r.Target.NotReady != InNoFile:
			t := *r.Target
			t.NotReady = InNoFile
			_, err := f.owner.PutTarget(ctx, t)
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

// Prune ends the owner's routes that the files do not name, whoever named them before.
func (f *Follower) Prune(ctx context.Context, d Desired) ([]Ended, error) {
	now := namesOf(d)
	return end(ctx, f.owner, func(r route.Record) bool { return !now.has(r) })
}

// Apply puts the desired routes, and ends those that the files named before. It returns those that it ended, also with an error.
func (f *Follower) Apply(ctx context.Context, d Desired) ([]Ended, error) {
	f.named.add(d)
	lacking, err := write(ctx, f.owner, d)
	if err != nil {
		return nil, errors.Join(lacking, err) // what could not be written yet must not make anything else go
	}
	now := namesOf(d)
	ended, err := end(ctx, f.owner, func(r route.Record) bool { return f.named.has(r) && !now.has(r) })
	return ended, errors.Join(lacking, err)
}

// Ended is a route that was ended: of an address, or of a target.
type Ended struct {
	Address *route.Address
	Target  *route.Target
}

// String returns the route's key as people write it.
func (e Ended) String() string {
	if e.Address != nil {
		return e.Address.Key.String()
	}
	return e.Target.Key.String()
}

// end ends the owner's routes that are chosen, targets first.
func end(ctx context.Context, owner RouteRemover, chosen func(route.Record) bool) (ended []Ended, err error) {
	own, err := owner.Owned(ctx)
	if err != nil {
		return nil, err
	}
	var errs []error
	note := func(r routes.StoredRecord, err error) {
		if errs = append(errs, err); err == nil {
			ended = append(ended, Ended{Address: r.Address, Target: r.Target})
		}
	}
	for _, r := range own {
		if r.Target != nil && chosen(r.Record) {
			note(r, owner.RemoveTarget(ctx, r.Target.Key))
		}
	}
	for _, r := range own {
		if r.Address != nil && chosen(r.Record) {
			note(r, owner.RemoveAddress(ctx, r.Address.Key))
		}
	}
	return ended, errors.Join(errs...)
}

// names are the keys of resources.
type names struct {
	addresses map[route.Key]bool
	targets   map[route.TargetKey]bool
}

func namesOf(d Desired) names {
	n := names{addresses: map[route.Key]bool{}, targets: map[route.TargetKey]bool{}}
	n.add(d)
	return n
}

func (n names) add(d Desired) {
	for _, a := range d.Addresses {
		n.addresses[a.Key] = true
	}
	for _, t := range d.Targets {
		n.targets[t.Key] = true
	}
}

func (n names) has(r route.Record) bool {
	if r.Address != nil {
		return n.addresses[r.Address.Key]
	}
	return n.targets[r.Target.Key]
}
