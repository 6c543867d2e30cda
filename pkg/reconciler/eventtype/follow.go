package eventtype

import (
	"context"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/types"
	"knative.dev/pkg/logging"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/loop"
)

const (
	// retryEvery is the pause after a failure, such as NATS being away.
	retryEvery = time.Second
	// makeBudget bounds the making of the bucket.
	makeBudget = 10 * time.Second
)

// Follower has each record reconciled: all of them when it begins, and when this process may have something new to do with
// them; after that, the ones that are written.
type Follower struct {
	records Records
	enabled func() bool
	enqueue func(types.NamespacedName)
	wake    chan struct{}
}

// again has all records looked at anew. It never blocks.
func (f *Follower) again() {
	select {
	case f.wake <- struct{}{}:
	default:
	}
}

// Run follows the records, while the feature is on, until ctx ends.
func (f *Follower) Run(ctx context.Context) {
	var failure loop.Failure
	for ctx.Err() == nil {
		if !f.enabled() {
			select {
			case <-f.wake:
			case <-ctx.Done():
			}
			continue
		}
		err := f.once(ctx)
		if failure.IsNew(err) && ctx.Err() == nil {
			logging.FromContext(ctx).Warnw("the event types that were seen cannot be followed; it is tried again", "error", err)
		}
		if err != nil {
			loop.Sleep(ctx, retryEvery)
		}
	}
}

// once makes the bucket and watches it until it is told to look again, or until the watch ends.
func (f *Follower) once(ctx context.Context) error {
	making, cancel := context.WithTimeout(ctx, makeBudget)
	defer cancel()
	if err := f.records.EnsureEventTypes(making); err != nil {
		return err
	}
	watching, stop := context.WithCancel(ctx)
	var waking sync.WaitGroup
	waking.Go(func() {
		select {
		case <-f.wake:
			stop()
		case <-watching.Done():
		}
	})
	defer waking.Wait()
	defer stop()
	return f.records.WatchEventTypes(watching, func(key string) { f.enqueue(types.NamespacedName{Name: key}) })
}
