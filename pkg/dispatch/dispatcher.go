package dispatch

import (
	"context"
	"log/slog"
	"reflect"
	"sync"
	"time"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/route"
)

// dispatcher serves one target until it is removed. Each change of the target brings a new runner;
// the dispatcher keeps what outlives the runners.
type dispatcher struct {
	key     route.TargetKey
	ports   *ports
	log     *slog.Logger
	waiting *waiting
	// deliveries counts the goroutines that deliver a message, those of earlier runners included.
	deliveries sync.WaitGroup
	// slots changes between two runners only.
	slots *slots

	mu sync.Mutex
	// assigned is nil when the target is removed.
	assigned *assignment
	// parkFailure is why work cannot be parked, as logged last; "" while it can.
	parkFailure string
}

// assignment is the version of a target that a dispatcher serves until the next assignment.
type assignment struct {
	target route.Target
	// ctx ends when the assignment is revoked.
	ctx    context.Context
	revoke context.CancelFunc
	// served is closed once this version is served, and no earlier one.
	served chan struct{}
}

func newDispatcher(key route.TargetKey, p *ports) *dispatcher {
	return &dispatcher{
		key: key, ports: p, log: p.Logger.With("target", key.String()), waiting: newWaiting(p.places),
	}
}

// assign replaces the version of the target that is served.
func (d *dispatcher) assign(target route.Target) *assignment {
	ctx, revoke := context.WithCancel(d.ports.requests)
	a := &assignment{target: target, ctx: ctx, revoke: revoke, served: make(chan struct{})}
	d.waiting.countIn(target.Counts)
	d.replace(a)
	return a
}

// replace revokes the present assignment. Without a new one the dispatcher ends.
func (d *dispatcher) replace(a *assignment) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.assigned != nil {
		d.assigned.revoke()
	}
	d.assigned = a
}

func (d *dispatcher) current() *assignment {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.assigned
}

func (d *dispatcher) serves(target route.Target) bool {
	a := d.current()
	return a != nil && a.target.Counts == target.Counts && reflect.DeepEqual(a.target, target)
}

// run serves one assignment after the other until there is none and retire agrees, releases what
// waits, and returns when the last message in flight is settled.
func (d *dispatcher) run(retire func(*dispatcher) bool) {
	for {
		if a := d.current(); a != nil {
			d.slots = d.slots.resize(a.target)
			r := &runner{dispatcher: d, target: a.target}
			r.serve(a.ctx, func() { close(a.served) })
		} else if retire(d) {
			break
		}
	}
	now := time.Now()
	for _, t := range d.waiting.close() {
		d.release(t.Message, max(t.due.Sub(now), 0))
	}
	d.deliveries.Wait()
}
