package dispatch

import (
	"context"
	"sync"
	"time"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/route"
)

// outdatedPoll is how often a runner asks whether its target is current again (Config.Current).
const outdatedPoll = 100 * time.Millisecond

// runner serves one version of a target: it takes messages from the target's sources and delivers
// them. A changed target gets a new runner, while this one finishes what it has begun.
type runner struct {
	*dispatcher
	target route.Target
}

// serve opens the sources, calls opened, and starts deliveries until ctx ends. When it returns both
// sources are stopped; the dispatcher waits for the deliveries.
func (r *runner) serve(ctx context.Context, opened func()) {
	log, directed := r.ports.Opener.Log(r.target), r.ports.Opener.Directed(r.target)
	defer log.Stop()
	defer directed.Stop()
	opened()
	var repeated sync.WaitGroup
	defer repeated.Wait()
	r.serveLog(ctx, log, directed, func() {
		repeated.Go(func() { r.serveRepeated(ctx, directed) })
	})
}

// serveLog starts the first attempt of every message of the log, until ctx ends. It calls
// serveRepeated when there is repeated work for the first time: most targets never have any, and
// need no goroutine for it.
func (r *runner) serveLog(ctx context.Context, log, directed Source, serveRepeated func()) {
	added, parked := r.waiting.added, directed.Ready()
	begin := func() {
		serveRepeated()
		added, parked = nil, nil // serveRepeated receives from both now
	}
	if r.waiting.size() > 0 {
		begin()
	}
	for {
		select { // a log that always has a message must not keep the rest waiting
		case <-ctx.Done():
			return
		case <-added:
			begin()
		case <-parked:
			begin()
		default:
		}
		taken, err := r.takeFromLog(ctx, log)
		if err != nil {
			return
		}
		if taken {
			continue
		}
		select {
		case <-ctx.Done():
			return
		case <-added:
			begin()
		case <-parked:
			begin()
		case <-log.Ready():
		}
	}
}

// takeFromLog starts the delivery of the log's next message, if there is one. It takes a message
// only when it has a slot: when ctx ends, which is the error, no message is taken.
func (r *runner) takeFromLog(ctx context.Context, log Source) (taken bool, err error) {
	release, err := r.slots.acquire(ctx)
	if err != nil {
		return false, err
	}
	m, ok := log.Take()
	if !ok {
		release()
		return false, nil
	}
	r.ports.metrics.begun(r.target, m)
	r.start(task{Message: m}, release)
	return true, nil
}

// serveRepeated starts the next attempt of waiting tasks that are due, and of directed messages,
// until ctx ends.
func (r *runner) serveRepeated(ctx context.Context, directed Source) {
	for preferDirected := false; ; preferDirected = !preferDirected {
		t, ok := r.nextRepeated(ctx, directed, preferDirected)
		if !ok {
			return
		}
		release, err := r.slots.acquireRepeated(ctx)
		if err != nil {
			_ = r.waiting.addDue(t) // for the next runner; the dispatcher closes waiting later
			return
		}
		r.start(t, release)
	}
}

// nextRepeated waits for a task or directed message; it returns false when ctx ends. The
// preference, alternated by the caller, lets neither kind keep the other waiting.
func (r *runner) nextRepeated(ctx context.Context, directed Source, preferDirected bool) (task, bool) {
	for ctx.Err() == nil {
		if preferDirected {
			if m, ok := directed.Take(); ok {
				return task{Message: m}, true
			}
		}
		wait := outdatedPoll
		if r.ports.Current() {
			t, due, left := r.waiting.take(time.Now())
			if due {
				return t, true
			}
			wait = left
		}
		if m, ok := directed.Take(); ok {
			return task{Message: m}, true
		}
		timer := time.NewTimer(wait)
		select {
		case <-directed.Ready():
		case <-ctx.Done():
		case <-timer.C:
		case <-r.waiting.added:
		}
		timer.Stop()
	}
	return task{}, false
}

// start delivers the task in a goroutine of its own, the only one that a message gets, and then
// releases the slot.
func (r *runner) start(t task, release func()) {
	r.target.Counts.Begin()
	r.deliveries.Go(func() {
		defer release()
		defer r.target.Counts.End()
		r.deliver(t)
	})
}

// deliver makes an attempt and settles its outcome. The first attempt with a Channel's reply
// follows in the same slot. Work with a Failure has its outcome: only the dead letter is left.
func (r *runner) deliver(t task) {
	if t.Failure != nil {
		r.settleDeadLetter(t)
		return
	}
	o := r.attempt(t.Work)
	if o.reply != nil && r.isChannel() {
		t.Reply, t.Attempt = o.reply, 0
		o = r.attempt(t.Work)
	}
	r.settle(t, o)
}
