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
	// ctx ends when the runner is revoked.
	ctx    context.Context
	revoke context.CancelFunc
	// served is closed once this version is served, and no earlier one.
	served chan struct{}
}

// serve opens the sources and starts deliveries until the runner is revoked. When it returns both
// sources are stopped; the dispatcher waits for the deliveries.
func (r *runner) serve() {
	log, directed := r.ports.Opener.Log(r.target), r.ports.Opener.Directed(r.target)
	defer log.Stop()
	defer directed.Stop()
	close(r.served)
	var repeated sync.WaitGroup
	defer repeated.Wait()
	r.serveLog(log, directed, func() {
		repeated.Go(func() { r.serveRepeated(directed) })
	})
}

// serveLog starts the first attempt of every message of the log, until the runner is revoked. It
// calls serveRepeated when there is repeated work for the first time: most targets never have any,
// and need no goroutine for it.
func (r *runner) serveLog(log, directed Source, serveRepeated func()) {
	added, parked := r.waiting.added, directed.Ready()
	begin := func() {
		serveRepeated()
		added, parked = nil, nil // serveRepeated receives from both now
	}
	if r.waiting.size() > 0 {
		begin()
	}
	taken := make(chan struct{})
	close(taken)
	for {
		ready := log.Ready()
		if r.takeFromLog(log) {
			ready = taken // a log that always has a message must not keep the rest waiting
		}
		select {
		case <-r.ctx.Done():
			return
		case <-added:
			begin()
		case <-parked:
			begin()
		case <-ready:
		}
	}
}

// takeFromLog starts the delivery of the log's next message, if there is one. It takes a message
// only when it has a slot: once the runner is revoked, no message is taken.
func (r *runner) takeFromLog(log Source) (taken bool) {
	if r.slots.all.Acquire(r.ctx) != nil {
		return false
	}
	m, ok := log.Take()
	if !ok {
		r.slots.all.Release()
		return false
	}
	r.ports.metrics.begun(r.target, m)
	r.start(task{Message: m}, r.slots.all.Release)
	return true
}

// serveRepeated starts the next attempt of waiting tasks that are due, and of directed messages,
// until the runner is revoked.
func (r *runner) serveRepeated(directed Source) {
	for preferDirected := false; ; preferDirected = !preferDirected {
		t, ok := r.nextRepeated(directed, preferDirected)
		if !ok {
			return
		}
		release, err := r.slots.acquireRepeated(r.ctx)
		if err != nil {
			r.waiting.addDue(t) // for the next runner; the dispatcher closes waiting later
			return
		}
		r.start(t, release)
	}
}

// nextRepeated waits for a task or directed message; it returns false when the runner is
// revoked. The preference, alternated by the caller, lets neither kind keep the other waiting.
func (r *runner) nextRepeated(directed Source, preferDirected bool) (task, bool) {
	for r.ctx.Err() == nil {
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
		select {
		case <-directed.Ready():
		case <-r.ctx.Done():
		case <-time.After(wait):
		case <-r.waiting.added:
		}
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
