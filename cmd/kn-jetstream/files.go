package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/owner"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/loop"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/manifest"
)

const (
	// applyBudget is how long one round of writing all routes, with their streams and consumers, may take.
	applyBudget = 60 * time.Second
	// retryPause is the time between two such rounds when something could not be written.
	retryPause = time.Second
	// guardInterval is the time between two looks whether what was applied is there.
	guardInterval = 2 * time.Second
)

// fileOwner plays the controller's part on one machine: the files are the desired state, and it writes the routes.
type fileOwner struct {
	owner    *owner.Owner
	follower *manifest.Follower
	// resources are those of the files at the start; nil without files.
	resources *manifest.Resources
	// prune ends, at the start, what is in no file.
	prune     bool
	announcer announcer
	out       io.Writer
	// base is the URL of the ingress.
	base string

	began bool
	// incomplete is set until routes have been applied that were not there at the start: an event that comes between those of a Broker and
	// of its Triggers would go to nobody.
	incomplete atomic.Bool

	// mu is held while routes are written.
	mu sync.Mutex
	// applied is what was applied last, all of it; nil while something is not.
	applied *manifest.Resources
	// kept are the routes of earlier runs, which no file names, that were there at the last look.
	kept manifest.Desired
}

// begin does, once, what the start has to do with routes of earlier runs that are in no file now.
func (f *fileOwner) begin(ctx context.Context) error {
	if f.began {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, applyBudget)
	defer cancel()
	var d manifest.Desired
	if f.resources != nil {
		d = f.resources.Desired()
	}
	if f.prune {
		undelivered := countUndelivered(ctx, f.announcer.status)
		ended, err := f.follower.Prune(ctx, d)
		f.announcer.sayEnded(ended, undelivered)
		if err != nil {
			return err
		}
	}
	err := f.follower.Begin(ctx, d)
	f.began = err == nil
	if err != nil {
		return err
	}
	own, err := f.owner.Owned(ctx)
	f.incomplete.Store(err == nil && !isEmpty(manifest.Missing(d, own)))
	return nil
}

// holding is a handler that takes nothing while routes are incomplete.
func (f *fileOwner) holding(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if f.incomplete.Load() {
			w.Header().Set("Retry-After", "1")
			http.Error(w, "the files are not applied yet", http.StatusServiceUnavailable)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// run applies the files now and at every change, until ctx ends.
func (f *fileOwner) run(ctx context.Context) {
	var running sync.WaitGroup
	defer running.Wait()
	running.Go(func() { f.owner.RunSweeps(ctx, sweepInterval) })
	running.Go(func() { f.guard(ctx) })
	updates, next := make(chan manifest.Update), f.resources
	if next == nil {
		fmt.Fprintf(f.out, "No files: routes come from kn-jetstream apply. Send events to %s/NAMESPACE/BROKER\n", f.base)
		next = &manifest.Resources{}
	} else {
		running.Go(func() {
			manifest.Watch(ctx, f.resources, func(u manifest.Update) {
				select {
				case updates <- u:
				case <-ctx.Done():
				}
			})
		})
	}
	for {
		// A change that comes while this one cannot be applied yet takes its place.
		u, ok := f.applyUntil(ctx, next, updates)
		if !ok {
			return
		}
		for u.Err != nil {
			fmt.Fprintf(f.out, "The files are not applied; what ran goes on:\n%v\n", u.Err)
			if u, ok = await(ctx, updates); !ok {
				return
			}
		}
		next = u.Resources
	}
}

func await(ctx context.Context, updates <-chan manifest.Update) (manifest.Update, bool) {
	select {
	case u := <-updates:
		return u, true
	case <-ctx.Done():
		return manifest.Update{}, false
	}
}

// applyUntil applies the resources, again and again until it works, says what became of them, and waits for the next update.
func (f *fileOwner) applyUntil(ctx context.Context, r *manifest.Resources, updates <-chan manifest.Update) (manifest.Update, bool) {
	var failure loop.Failure
	for {
		err := f.apply(ctx, r)
		if err == nil {
			return f.announcer.announce(ctx, r, updates)
		}
		if failure.IsNew(err) && ctx.Err() == nil {
			fmt.Fprintf(f.out, "Not everything could be applied; it is tried again:\n%v\n", err)
		}
		timer := time.NewTimer(retryPause)
		select {
		case u := <-updates:
			timer.Stop()
			return u, true
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return manifest.Update{}, false
		}
	}
}

func (f *fileOwner) apply(ctx context.Context, r *manifest.Resources) error {
	ctx, cancel := context.WithTimeout(ctx, applyBudget)
	defer cancel()
	if err := f.begin(ctx); err != nil {
		return err
	}
	defer f.incomplete.Store(false) // what could not be applied holds up nothing else
	undelivered := countUndelivered(ctx, f.announcer.status)
	f.mu.Lock()
	defer f.mu.Unlock()
	f.applied, f.kept = nil, manifest.Desired{}
	ended, err := f.follower.Apply(ctx, r.Desired())
	f.announcer.sayEnded(ended, undelivered)
	if err != nil {
		return err
	}
	live, _, err := f.owner.OwnedAndEnding(ctx)
	if err == nil {
		f.applied, f.kept = r, manifest.Unnamed(r.Desired(), live)
	}
	return err
}

// guard writes routes again that somebody else has deleted, such as the whole bucket, until ctx ends: without them no event is taken and
// none is removed from the logs.
func (f *fileOwner) guard(ctx context.Context) {
	var failure loop.Failure
	for loop.Sleep(ctx, guardInterval) {
		restored, err := f.restore(ctx)
		if failure.IsNew(err) && ctx.Err() == nil {
			fmt.Fprintf(f.out, "%s  routes that are gone could not be written again; it is tried again: %v\n", time.Now().Format(time.TimeOnly), err)
		}
		if restored > 0 && err == nil {
			fmt.Fprintf(f.out, "%s  %d routes were gone, and are written again\n", time.Now().Format(time.TimeOnly), restored)
		}
	}
}

// restore writes the routes again that were applied, or kept, and are gone. It returns how many those were. One that is kept, and that
// somebody has deleted by the program's own means, has left a mark, and stays deleted.
func (f *fileOwner) restore(ctx context.Context) (int, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.applied == nil || !f.owner.Connected() {
		return 0, nil
	}
	ctx, cancel := context.WithTimeout(ctx, applyBudget)
	defer cancel()
	live, ending, err := f.owner.OwnedAndEnding(ctx)
	if err != nil {
		return 0, err
	}
	gone, kept := manifest.Missing(f.applied.Desired(), live), manifest.Missing(f.kept, append(slices.Clone(live), ending...))
	gone.Addresses, gone.Targets = append(gone.Addresses, kept.Addresses...), append(gone.Targets, kept.Targets...)
	if isEmpty(gone) {
		f.kept = manifest.Unnamed(f.applied.Desired(), live)
		return 0, nil
	}
	return len(gone.Addresses) + len(gone.Targets), manifest.Put(ctx, f.owner, gone)
}
