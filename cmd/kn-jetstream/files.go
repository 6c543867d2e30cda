package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"sync"
	"time"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/manifest"
)

const (
	applyBudget  = 60 * time.Second
	readyBudget  = 30 * time.Second
	readyPoll    = 100 * time.Millisecond
	retryPause   = time.Second
	timestampFmt = time.TimeOnly
)

// fileOwner plays the controller's part on one machine: the files are the desired state, and it writes the routes.
type fileOwner struct {
	owner     *jetstream.Owner
	client    *jetstream.Client
	resources *manifest.Resources
	out       io.Writer
	log       *slog.Logger
	base      string
}

// run applies the files now and at every change, until ctx ends.
func (f *fileOwner) run(ctx context.Context) {
	var running sync.WaitGroup
	defer running.Wait()
	running.Go(func() { f.owner.RunSweeps(ctx, sweepInterval) })
	if f.resources == nil {
		fmt.Fprintf(f.out, "No files: Brokers and Triggers come from kn-jetstream apply. Send events to %s/NAMESPACE/BROKER\n", f.base)
		<-ctx.Done()
		return
	}
	updates := make(chan manifest.Update)
	running.Go(func() {
		manifest.Watch(ctx, f.resources, func(u manifest.Update) {
			select {
			case updates <- u:
			case <-ctx.Done():
			}
		})
	})
	for next := f.resources; ; {
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

// applyUntil applies the resources, again and again until it works, and then waits for the next update.
func (f *fileOwner) applyUntil(ctx context.Context, r *manifest.Resources, updates <-chan manifest.Update) (manifest.Update, bool) {
	said := ""
	for {
		err := f.apply(ctx, r)
		if err == nil {
			f.announce(ctx, r)
			return await(ctx, updates)
		}
		if err.Error() != said && ctx.Err() == nil {
			said = err.Error()
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
	return manifest.Replace(ctx, f.owner, r.Desired())
}

// announce says what was applied, and waits until the data plane says that it serves it.
func (f *fileOwner) announce(ctx context.Context, r *manifest.Resources) {
	for _, line := range r.Ignored {
		fmt.Fprintln(f.out, line)
	}
	for _, line := range r.Desired().Notes {
		fmt.Fprintln(f.out, line)
	}
	ctx, cancel := context.WithTimeout(ctx, readyBudget)
	defer cancel()
	for {
		status, err := f.client.Status(ctx)
		if err == nil && settled(status) {
			printStatus(f.out, status)
			return
		}
		timer := time.NewTimer(readyPoll)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			if err == nil {
				printStatus(f.out, status)
			}
			return
		}
	}
}

// settled reports whether waiting longer cannot change what is ready: everything that can be is.
func settled(s jetstream.Status) bool {
	for _, a := range s.Addresses {
		if !a.Ready {
			return false
		}
	}
	for _, t := range s.Targets {
		if !t.Ready && t.NotReady == "" {
			return false
		}
	}
	return true
}

// printStatus says where to send events, and which Trigger gets them.
func printStatus(out io.Writer, s jetstream.Status) {
	for _, a := range s.Addresses {
		fmt.Fprintf(out, "%s  %s  %s  send events to %s\n", time.Now().Format(timestampFmt), a.Key, readiness(a.Ready, a.Reason), a.URL)
	}
	for _, t := range s.Targets {
		fmt.Fprintf(out, "%s  %s  %s\n", time.Now().Format(timestampFmt), t.Key, readiness(t.Ready, t.Reason))
	}
}

func readiness(ready bool, reason string) string {
	if ready {
		return "is ready"
	}
	return "is not ready: " + reason
}
