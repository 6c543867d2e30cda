package audit

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/types"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/routes"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/loop"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/route"
)

const (
	// Every is how often everything is compared; a deletion is looked at at once.
	Every = 10 * time.Second
	// sweepEvery is how often consumers and streams are repaired and removed, searchEvery how often those are looked for that have
	// no record any more: by then the reconcilers have given one to all that have a resource.
	sweepEvery  = 10 * time.Second
	searchEvery = 10 * time.Minute
	// settle is how long a deletion is waited for others: a namespace goes with all its Triggers.
	settle = 200 * time.Millisecond
	// budget bounds one comparison.
	budget = 60 * time.Second
)

// Routes are the routes in NATS and what is behind them; it is what owner.Owner does.
type Routes interface {
	OwnedAndEnding(ctx context.Context) (live, ending []routes.StoredRecord, err error)
	Unrecorded(ctx context.Context) ([]routes.StoredRecord, error)
	End(ctx context.Context, r routes.StoredRecord) error
	Sweep(ctx context.Context) error
	Differing(ctx context.Context, live []routes.StoredRecord) ([]routes.StoredRecord, error)
	// Applied is the revision at which this process wrote the record last, or false if it did not.
	Applied(r routes.StoredRecord) (revision uint64, known bool)
}

// Reconciler is the controller of one kind of resource.
type Reconciler interface {
	// Leads reports whether this process reconciles the resource. The replica that reconciles Brokers need not be the one that
	// reconciles Triggers.
	Leads(key types.NamespacedName) bool
	EnqueueKey(key types.NamespacedName)
}

// Config is what an Audit is made of. All fields are required.
type Config struct {
	Routes Routes
	// Cached are the resources as the informers know them, or false until they have synced.
	Cached func() (Resources, bool)
	// Live reads the resources from the API server, past every cache.
	Live func(context.Context) (Resources, error)
	// Leads reports whether this process is the one that ends routes. It is asked before each thing that is removed.
	Leads func() bool
	// Brokers, Triggers and Channels have a resource reconciled.
	Brokers, Triggers, Channels Reconciler
	Logger                      *slog.Logger
	// Repaired, if not nil, is called for each route that somebody else changed, or whose streams and consumers somebody changed.
	Repaired func()
}

// Audit compares and repairs.
type Audit struct {
	config Config
	wake   chan struct{}
	// swept and searched are when that was done last, or was another's to do; the first search is as late as any other.
	swept, searched time.Time
	// strange are the records that somebody else wrote, and at which revision that was told.
	strange map[string]uint64
	// differing are the records whose streams or consumers were found changed by the last look.
	differing map[string]bool
}

// New returns an audit that has not started.
func New(c Config) *Audit {
	return &Audit{config: c, wake: make(chan struct{}, 1), searched: time.Now()}
}

// Wake has the comparison made soon. It never blocks.
func (a *Audit) Wake() {
	select {
	case a.wake <- struct{}{}:
	default:
	}
}

// Run compares until ctx ends. A failure, such as NATS being away, is logged once and tried again.
func (a *Audit) Run(ctx context.Context) {
	var failure loop.Failure
	for ctx.Err() == nil {
		if err := a.once(ctx); failure.IsNew(err) && ctx.Err() == nil {
			a.config.Logger.Warn("routes and resources could not be compared; it is tried again", "error", err)
		}
		select {
		case <-a.wake:
			loop.Sleep(ctx, settle)
		case <-time.After(Every):
		case <-ctx.Done():
		}
	}
}

// once makes one comparison. Each replica has what it reconciles itself made right; only one ends routes and sweeps.
func (a *Audit) once(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, budget)
	defer cancel()
	cached, synced := a.config.Cached()
	if !synced {
		return nil
	}
	owned, ending, unreadable := a.config.Routes.OwnedAndEnding(ctx)
	if unreadable != nil && !errors.Is(unreadable, route.ErrRecord) {
		return unreadable
	}
	found := compare(owned, cached.wanted()) // a record that cannot be read is missing: its resource is reconciled, which writes it anew
	enqueue(a.config.Triggers, cached.leftBehind(slices.Concat(found.orphans, ending)))
	enqueue(a.config.Brokers, found.brokers)
	enqueue(a.config.Triggers, found.triggers)
	enqueue(a.config.Channels, found.channels)
	ours := slices.DeleteFunc(slices.Clone(owned), a.isOthers)
	a.repairRecords(ours)
	errs := []error{unreadable}
	if a.config.Leads() {
		errs = append(errs, a.end(ctx, found.orphans), a.search(ctx))
	}
	return errors.Join(append(errs, a.sweep(ctx, ours))...)
}

// end ends the routes that have no resource. The caches that said so may be old, so the API server has the last word.
func (a *Audit) end(ctx context.Context, suspects []routes.StoredRecord) error {
	if len(suspects) == 0 {
		return nil
	}
	live, err := a.config.Live(ctx)
	if err != nil {
		return err
	}
	var errs []error
	for _, orphan := range compare(suspects, live.wanted()).orphans {
		if !a.config.Leads() {
			break
		}
		if orphan.Target != nil {
			a.config.Logger.Info("a Trigger or subscriber is gone; its route ends", "target", orphan.Target.Key.String())
		} else {
			a.config.Logger.Info("a Broker or Channel is gone; its route ends", "address", orphan.Address.Key.String())
		}
		// One that was written since belongs to a resource that came since.
		errs = append(errs, a.config.Routes.End(ctx, orphan))
	}
	return errors.Join(errs...)
}

// search ends what has neither a record nor a resource.
func (a *Audit) search(ctx context.Context) error {
	if time.Since(a.searched) < searchEvery {
		return nil
	}
	a.searched = time.Now()
	unrecorded, err := a.config.Routes.Unrecorded(ctx)
	return errors.Join(err, a.end(ctx, unrecorded))
}

// sweep removes what is due and makes what is gone, if this process leads, and repairs what is behind the records that are ours.
func (a *Audit) sweep(ctx context.Context, ours []routes.StoredRecord) error {
	if time.Since(a.swept) < sweepEvery {
		return nil
	}
	a.swept = time.Now()
	var err error
	if a.config.Leads() {
		err = a.config.Routes.Sweep(ctx)
	}
	return errors.Join(err, a.repairStreams(ctx, ours))
}
