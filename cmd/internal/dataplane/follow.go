package dataplane

import (
	"context"
	"sync"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/route"
)

// followed is a table of routes, what keeps it, and what is done when it changes.
type followed struct {
	watch func(ctx context.Context, synced func())
	table *route.Table
	apply func(context.Context, route.Snapshot)
}

// follow applies the table after its first full read and after every change, beside the other loops, until ctx ends and
// all of them have returned.
func follow(ctx context.Context, f followed, loops ...func(context.Context)) {
	var running sync.WaitGroup
	for _, loop := range loops {
		running.Go(func() { loop(ctx) })
	}
	complete := make(chan struct{})
	once := sync.OnceFunc(func() { close(complete) })
	running.Go(func() { f.watch(ctx, once) })
	running.Go(func() {
		select {
		case <-complete:
		case <-ctx.Done():
			return
		}
		for ctx.Err() == nil {
			snapshot := f.table.Snapshot()
			f.apply(ctx, snapshot)
			select {
			case <-snapshot.Changed:
			case <-ctx.Done():
			}
		}
	})
	running.Wait()
}
