package dispatch

import (
	"context"
	"sync"
	"time"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/route"
)

// heldPause is how long a task that is due waits while nothing may be delivered (see Config.Current).
const heldPause = 100 * time.Millisecond

// runner takes a target's messages from its sources and delivers them. It is never modified: a changed target gets a new
// one, while this one finishes what it has begun.
type runner struct {
	target route.Target
	lane   *lane
	ports  *ports
	slots  *slots
	// cutoff ends when requests in flight are to be broken off; the end of the runner does not end it.
	cutoff context.Context
}

// run opens the sources, calls opened, and starts the delivery of messages until ctx ends. When it returns both sources are
// stopped; deliveries that were begun go on as flights of the lane.
func (r *runner) run(ctx context.Context, opened func()) {
	log, directed := r.ports.opener.Log(r.target), r.ports.opener.Directed(r.target)
	defer log.Stop()
	defer directed.Stop()
	opened()
	var repeats sync.WaitGroup
	defer repeats.Wait()
	r.takeFirsts(ctx, log, directed, func() {
		repeats.Go(func() { r.takeRepeats(ctx, directed) })
	})
}

// takeFirsts begins the first attempt of every message of the log, until ctx ends. When there is something to repeat for the first
// time it calls repeat: most targets never have, and need no loop for it.
func (r *runner) takeFirsts(ctx context.Context, log, directed Source, repeat func()) {
	waits, parked := r.lane.waiting.added, directed.Ready()
	begin := func() {
		repeat()
		waits, parked = nil, nil // the loop has them from now on
	}
	if r.lane.waiting.size() > 0 {
		begin()
	}
	for {
		select { // a log that always has something must not keep the rest waiting
		case <-ctx.Done():
			return
		case <-waits:
			begin()
		case <-parked:
			begin()
		default:
		}
		taken, err := r.takeFirst(ctx, log)
		if err != nil {
			return
		}
		if taken {
			continue
		}
		select {
		case <-ctx.Done():
			return
		case <-waits:
			begin()
		case <-parked:
			begin()
		case <-log.Ready():
		}
	}
}

// takeFirst begins the next message of the log, if there is one. It takes a message only when it has a slot for it: what it leaves
// behind when ctx ends, which is the error, is still with the source.
func (r *runner) takeFirst(ctx context.Context, log Source) (taken bool, err error) {
	release, err := r.slots.first(ctx)
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

// takeRepeats begins the next attempt of waiting tasks that are due, and of directed messages, until ctx ends.
func (r *runner) takeRepeats(ctx context.Context, directed Source) {
	for preferDirected := false; ; preferDirected = !preferDirected {
		t, ok := r.nextRepeat(ctx, directed, preferDirected)
		if !ok {
			return
		}
		release, err := r.slots.repeated(ctx)
		if err != nil {
			r.lane.waiting.putBack(t) // for the runner that follows
			return
		}
		r.start(t, release)
	}
}

// nextRepeat waits for a task or directed message; it returns false when ctx ends. The preference, alternated by the caller, lets
// neither kind keep the other waiting.
func (r *runner) nextRepeat(ctx context.Context, directed Source, preferDirected bool) (task, bool) {
	for ctx.Err() == nil {
		if preferDirected {
			if m, ok := directed.Take(); ok {
				return task{Message: m}, true
			}
		}
		wait := heldPause
		if r.ports.current() {
			t, due, left := r.lane.waiting.take(time.Now())
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
		case <-r.lane.waiting.added:
		}
		timer.Stop()
	}
	return task{}, false
}

// start delivers the task in a goroutine of its own, the only one that a message gets, and then releases the slot.
func (r *runner) start(t task, release func()) {
	r.lane.counts.inFlight.Add(1)
	r.lane.flights.Go(func() {
		defer release()
		defer r.lane.counts.inFlight.Add(-1)
		r.deliver(t)
	})
}
