package dispatch

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/event"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/limit"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/route"
)

// openTimeout bounds the opening of a target's two sources.
const openTimeout = 10 * time.Second

// runner takes a target's messages from its sources and delivers them. It is never modified: a changed target gets a new
// one, while this one finishes what it has begun.
type runner struct {
	target  route.Target
	matches func(event.Event) bool
	lane    *lane
	ports   *ports
	slots   *slots
	// cutoff ends when requests in flight are to be broken off; the end of the runner does not end it.
	cutoff context.Context
}

// run opens the sources, calls opened, and starts the delivery of messages until ctx ends (then it returns nil) or a
// source fails. When it returns both sources are stopped; deliveries that were begun go on as flights of the lane.
func (r *runner) run(ctx context.Context, opened func()) error {
	// The sources get a context of their own: it must not end before they are stopped.
	lifetime, end := context.WithCancel(context.WithoutCancel(ctx))
	defer end()
	var log, directed Source
	var err error
	apart(func() { log, directed, err = r.open(ctx, lifetime, end) })
	if err != nil {
		return err
	}
	opened()

	loops, stop := context.WithCancel(ctx)
	defer stop()
	var repeats sync.WaitGroup
	r.takeFirsts(loops, log.Messages(), directed.Messages(), func(first ...task) {
		repeats.Go(func() {
			defer stop()
			r.takeRepeats(loops, directed.Messages(), first...)
		})
	})
	stop()
	repeats.Wait()

	r.stop(log)
	r.stop(directed)
	if ctx.Err() != nil {
		return nil
	}
	return errSourceEnded
}

// open opens both sources or none. It gives up, by end, when ctx ends or after openTimeout.
func (r *runner) open(ctx, lifetime context.Context, end context.CancelFunc) (log, directed Source, err error) {
	unwatch := context.AfterFunc(ctx, end)
	defer unwatch()
	timer := time.AfterFunc(openTimeout, end)
	defer timer.Stop()

	size := r.slots.size
	log, err = r.ports.opener.Log(lifetime, r.target, size)
	if err != nil {
		return nil, nil, fmt.Errorf("open the log: %w", err)
	}
	directed, err = r.ports.opener.Directed(lifetime, r.target, limit.Half(size))
	if err != nil {
		r.stop(log)
		return nil, nil, fmt.Errorf("open the directed messages: %w", err)
	}
	return log, directed, nil
}

// stop stops the source. What may still lie in its channel by then is given back too.
func (r *runner) stop(s Source) {
	s.Stop()
	for {
		select {
		case m, open := <-s.Messages():
			if !open {
				return
			}
			r.lane.release(m, 0)
		default:
			return
		}
	}
}

// takeFirsts begins the first attempt of every message of the log that the filter lets through. When there is something to repeat
// for the first time it calls repeat, with what it has already taken: most targets never have, and need no loop for it.
func (r *runner) takeFirsts(ctx context.Context, messages, directed <-chan Message, repeat func(...task)) {
	added := r.lane.waiting.added
	begin := func(first ...task) {
		repeat(first...)
		added, directed = nil, nil // the loop has them from now on
	}
	if r.lane.waiting.size() > 0 {
		begin()
	}
	for {
		select {
		case <-ctx.Done():
			return
		case m, open := <-messages:
			if !open {
				return
			}
			r.takeFirst(ctx, m)
		case <-added:
			begin()
		case m, open := <-directed:
			if !open {
				return
			}
			begin(task{Message: m})
		}
	}
}

func (r *runner) takeFirst(ctx context.Context, m Message) {
	taken := time.Now()
	if m.Failure == nil && !r.matches(m.Event) {
		r.lane.counts.filtered.Add(1)
		r.ack(m)
		return
	}
	release, err := r.slots.first(ctx)
	if err != nil {
		r.lane.release(m, 0)
		return
	}
	r.ports.metrics.begun(r.target, m.Event, time.Since(taken))
	r.start(task{Message: m}, release)
}

// takeRepeats begins the next attempt of the tasks that it is given, of waiting ones that are due, and of directed messages.
func (r *runner) takeRepeats(ctx context.Context, directed <-chan Message, first ...task) {
	for _, t := range first {
		if !r.takeRepeat(ctx, t) {
			return
		}
	}
	preferDirected := false
	for {
		t, ok := r.nextRepeat(ctx, directed, preferDirected)
		if !ok || !r.takeRepeat(ctx, t) {
			return
		}
		preferDirected = !preferDirected
	}
}

// takeRepeat reports false when there is no slot before ctx ends.
func (r *runner) takeRepeat(ctx context.Context, t task) bool {
	release, err := r.slots.repeated(ctx)
	if err != nil {
		r.lane.waiting.putBack(t) // for the runner that follows
		return false
	}
	r.start(t, release)
	return true
}

// nextRepeat waits for a task or directed message; it returns false when ctx or the source ends. The preference, alternated
// by the caller, lets neither kind keep the other waiting.
func (r *runner) nextRepeat(ctx context.Context, directed <-chan Message, preferDirected bool) (task, bool) {
	for ctx.Err() == nil {
		if preferDirected {
			select {
			case m, open := <-directed:
				return task{Message: m}, open
			default:
			}
		}
		t, due, wait := r.lane.waiting.take(time.Now())
		if due {
			return t, true
		}
		timer := time.NewTimer(wait)
		select {
		case m, open := <-directed:
			timer.Stop()
			return task{Message: m}, open
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
