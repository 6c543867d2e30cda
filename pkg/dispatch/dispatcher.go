package dispatch

import (
	"context"
	"log/slog"
	"reflect"
	"sync"
	"time"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/loop"
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
	// runner serves the target; nil when the target is removed.
	runner *runner
	// parkFailure is why work cannot be parked.
	parkFailure loop.Failure
}

func newDispatcher(key route.TargetKey, p *ports) *dispatcher {
	return &dispatcher{
		key: key, ports: p, log: p.Logger.With("target", key.String()), waiting: newWaiting(p.places),
	}
}

// assign replaces the version of the target that is served.
func (d *dispatcher) assign(target route.Target) *runner {
	ctx, revoke := context.WithCancel(d.ports.requests)
	r := &runner{dispatcher: d, target: target, ctx: ctx, revoke: revoke, served: make(chan struct{})}
	d.waiting.countIn(target.Counts)
	d.replace(r)
	return r
}

// replace revokes the present runner. Without a new one the dispatcher ends.
func (d *dispatcher) replace(r *runner) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.runner != nil {
		d.runner.revoke()
	}
	d.runner = r
}

func (d *dispatcher) current() *runner {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.runner
}

func (d *dispatcher) serves(target route.Target) bool {
	r := d.current()
	return r != nil && r.target.Counts == target.Counts && reflect.DeepEqual(r.target, target)
}

// run has one runner after the other serve until there is none and retire agrees, releases what
// waits, and returns when the last message in flight is settled.
func (d *dispatcher) run(retire func(*dispatcher) bool) {
	for {
		if r := d.current(); r != nil {
			d.slots = d.slots.resize(r.target)
			r.serve()
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
