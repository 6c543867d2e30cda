package dispatch

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/filter"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/route"
)

// A source that cannot be opened, or that ends by itself, is opened again after a delay that doubles from reopenFirst to
// reopenMax, and starts small again after it had been open for reopenSettled.
const (
	reopenFirst   = 500 * time.Millisecond
	reopenMax     = 30 * time.Second
	reopenSettled = time.Minute
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
	why   error
}

// order is what a lane is to serve until the next order comes.
type order struct {
	target route.Target
	// ctx ends when the order is withdrawn.
	ctx      context.Context
	withdraw context.CancelFunc
	// tried is closed after the first attempt to serve the target.
	tried chan struct{}
	once  sync.Once
}

func newLane(key route.TargetKey, p *ports) *lane {
	return &lane{key: key, ports: p, waiting: newWaiting(p.brief)}
}

// assign replaces the lane's order.
func (l *lane) assign(cutoff context.Context, target route.Target) *order {
	ctx, cancel := context.WithCancel(cutoff)
	o := &order{target: target, ctx: ctx, withdraw: cancel, tried: make(chan struct{})}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.order != nil {
		l.order.withdraw()
	}
	l.order, l.why = o, nil // nothing is known of it until it was tried
	return o
}

// withdraw leaves the lane without an order, which ends it.
func (l *lane) withdraw() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.order != nil {
		l.order.withdraw()
	}
	l.order, l.why = nil, nil
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

func (l *lane) failure() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.why
}

// report notes how serving the order goes; nil means well. A report on an order that was replaced meanwhile is dropped.
func (l *lane) report(o *order, why error) {
	l.mu.Lock()
	if l.order == o {
		l.why = why
	}
	l.mu.Unlock()
	o.once.Do(func() { close(o.tried) })
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

// serve keeps a runner going until the order is withdrawn. When it returns, the runner's sources are stopped.
func (l *lane) serve(cutoff context.Context, o *order) {
	var match *filter.Matcher
	var err error
	apart(func() { match, err = filter.Compile(o.target.Filter) })
	if err != nil {
		l.report(o, fmt.Errorf("filter: %w", err))
		<-o.ctx.Done()
		return
	}
	l.slots = l.slots.resize(o.target)
	r := &runner{target: o.target, matches: match.Match, lane: l, ports: l.ports, slots: l.slots, cutoff: cutoff}
	failures := 0
	for o.ctx.Err() == nil {
		begin := time.Now()
		err := r.run(o.ctx, func() { l.report(o, nil) })
		if o.ctx.Err() != nil {
			return
		}
		if time.Since(begin) > reopenSettled {
			failures = 0
		}
		l.report(o, err)
		l.ports.log.Warn("target is not served, trying again", "target", l.key.String(), "error", err)
		sleep(o.ctx, min(reopenFirst<<min(failures, 10), reopenMax))
		failures++
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

// apart runs f in a goroutine of its own and waits for it. The stack that f needs is gone then, where a lane's goroutine, which mostly
// waits, would keep it.
func apart(f func()) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		f()
	}()
	<-done
}
