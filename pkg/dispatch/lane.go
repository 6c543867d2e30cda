package dispatch

import (
	"context"
	"sync"
	"time"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/route"
)

// lane is one target's place in the pool. Runners come and go with every change of the target; the lane holds what has to
// outlive them: the messages that wait for their next attempt, the slots of the subscriber, the requests in flight, the counts.
type lane struct {
	key     route.TargetKey
	ports   *ports
	waiting *waiting
	counts  counts
	// flights counts the messages being delivered, by this runner and those before it.
	flights sync.WaitGroup
	// slots is used by the lane's own goroutine.
	slots *slots

	mu    sync.Mutex
	order *order
	// said is why events cannot be parked at present, as it was logged last.
	said string
}

// order is what a lane is to serve until the next order comes.
type order struct {
	target route.Target
	// ctx ends when the order is withdrawn.
	ctx      context.Context
	withdraw context.CancelFunc
	// served is closed once the target is served as ordered, and no longer as before.
	served chan struct{}
}

func newLane(key route.TargetKey, p *ports) *lane {
	return &lane{key: key, ports: p, waiting: newWaiting(p.brief)}
}

// assign replaces the lane's order.
func (l *lane) assign(cutoff context.Context, target route.Target) *order {
	ctx, cancel := context.WithCancel(cutoff)
	o := &order{target: target, ctx: ctx, withdraw: cancel, served: make(chan struct{})}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.order != nil {
		l.order.withdraw()
	}
	l.order = o
	return o
}

// withdraw leaves the lane without an order, which ends it.
func (l *lane) withdraw() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.order != nil {
		l.order.withdraw()
	}
	l.order = nil
}

func (l *lane) current() *order {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.order
}

func (l *lane) serves(target route.Target) bool {
	o := l.current()
	return o != nil && same(o.target, target)
}

// run serves one order after the other until there is none, gives back what waits, and returns when the last message in
// flight is settled.
func (l *lane) run(cutoff context.Context, retire func(*lane) bool) {
	for {
		if o := l.current(); o != nil {
			l.serve(cutoff, o)
		} else if retire(l) {
			break
		}
	}
	now := time.Now()
	for _, t := range l.waiting.close() {
		l.release(t.Message, max(t.due.Sub(now), 0))
	}
	l.flights.Wait()
}

// serve has a runner serve the order until it is withdrawn. When it returns, the runner's sources are stopped.
func (l *lane) serve(cutoff context.Context, o *order) {
	l.slots = l.slots.resize(o.target)
	r := &runner{target: o.target, lane: l, ports: l.ports, slots: l.slots, cutoff: cutoff}
	r.run(o.ctx, func() { close(o.served) })
}

// sayParking logs why an event cannot be parked, once for each reason, and when that is over.
func (l *lane) sayParking(err error) {
	text := ""
	if err != nil {
		text = err.Error()
	}
	l.mu.Lock()
	before := l.said
	l.said = text
	l.mu.Unlock()
	switch {
	case before == text:
	case err == nil:
		l.ports.log.Info("events are parked again", "target", l.key.String())
	default:
		l.ports.log.Warn("events cannot be parked, they are held here", "target", l.key.String(), "error", err)
	}
}

// release gives the message back. An error leaves nothing to do: the hold ends by itself, and the message comes again.
func (l *lane) release(m Message, after time.Duration) {
	l.counts.released.Add(1)
	if err := m.Release(after); err != nil {
		l.ports.log.Warn("message is given back by timeout only", "target", l.key.String(), "sequence", m.Sequence, "error", err)
	}
}

// sleep waits for the time to pass or for ctx to end.
func sleep(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}
