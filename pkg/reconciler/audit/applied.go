package audit

import (
	"context"
	"maps"
	"slices"
	"sync"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/owner"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/routes"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/route"
)

// Owner is an owner.Owner that knows at which revisions it wrote its records. Safe for concurrent use.
type Owner struct {
	*owner.Owner

	mu      sync.Mutex
	applied map[string]uint64
}

// NewOwner returns the owner that every reconciler of the process is to use.
func NewOwner(o *owner.Owner) *Owner {
	return &Owner{Owner: o, applied: map[string]uint64{}}
}

// PutAddress is owner.Owner's.
func (o *Owner) PutAddress(ctx context.Context, a route.Address) (owner.Applied, error) {
	applied, err := o.Owner.PutAddress(ctx, a)
	o.note(a.Key.String(), applied.Revision, err)
	return applied, err
}

// PutTarget is owner.Owner's.
func (o *Owner) PutTarget(ctx context.Context, t route.Target) (owner.Applied, error) {
	applied, err := o.Owner.PutTarget(ctx, t)
	o.note(t.Key.String(), applied.Revision, err)
	return applied, err
}

// OwnedAndEnding is owner.Owner's. What is no longer among all these is forgotten, unless it was written after they were read.
func (o *Owner) OwnedAndEnding(ctx context.Context) (live, ending []routes.StoredRecord, err error) {
	live, ending, err = o.Owner.OwnedAndEnding(ctx)
	if err == nil {
		o.keep(live, ending)
	}
	return live, ending, err
}

func (o *Owner) keep(live, ending []routes.StoredRecord) {
	there, last := map[string]bool{}, uint64(0)
	for _, r := range slices.Concat(live, ending) {
		there[nameOf(r)], last = true, max(last, r.Revision)
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	maps.DeleteFunc(o.applied, func(name string, revision uint64) bool { return !there[name] && revision <= last })
}

// Refuse is owner.Owner's. At which revision it has written is not known, nor whether it has.
func (o *Owner) Refuse(ctx context.Context, key route.Key, why string) error {
	err := o.Owner.Refuse(ctx, key, why)
	o.mu.Lock()
	defer o.mu.Unlock()
	delete(o.applied, key.String())
	return err
}

func (o *Owner) note(name string, revision uint64, err error) {
	if err != nil {
		return
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.applied[name] = revision
}

// Applied is the revision at which this process wrote the record last, or false if it did not.
func (o *Owner) Applied(r routes.StoredRecord) (revision uint64, known bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	revision, known = o.applied[nameOf(r)]
	return revision, known
}
