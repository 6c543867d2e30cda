// Package dispatch carries events from an address's log to its targets: it filters, sends, publishes replies, retries and
// dead-letters, and ends the hold on a message only when the outcome is durable. It knows neither NATS nor HTTP: sources,
// store and sender are interfaces declared in ports.go.
package dispatch

import (
	"context"
	"log/slog"
	"reflect"
	"sync"

	"go.opentelemetry.io/otel/metric"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/event"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/limit"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/route"
)

// Config is what a Pool works with. Opener, Store and Sender are required.
type Config struct {
	Opener Opener
	Store  Store
	Sender Sender
	// Replied, if not nil, is told of each reply: to a Broker once it is stored, to a Channel when it comes. It must not block.
	Replied func(from route.Target, reply event.Event)
	// MeterProvider takes the measurements; nil means OpenTelemetry's global one.
	MeterProvider metric.MeterProvider
	// Current reports whether the targets of the last Sync are certainly the newest that are in force anywhere; nil means always. While
	// they may be outdated no attempt begins: sources yield nothing, and what waits for its next attempt waits on.
	Current func() bool
	// Logger gets what an operator should know; nil means silence.
	Logger *slog.Logger
}

// Pool serves every target with a runner of its own, so that a slow or failing subscriber holds up no other target.
// Safe for concurrent use.
type Pool struct {
	ports *ports
	// cutoff ends when the requests in flight are to be broken off; cut ends it.
	cutoff context.Context
	cut    context.CancelFunc
	// running counts the goroutines of the lanes.
	running sync.WaitGroup

	mu       sync.Mutex
	lanes    map[route.TargetKey]*lane
	draining bool
}

// ports is what all runners of a pool share.
type ports struct {
	opener  Opener
	store   Store
	sender  Sender
	replied func(route.Target, event.Event)
	metrics *metrics
	log     *slog.Logger
	current func() bool
	// brief are the places for tasks that wait briefly.
	brief *limit.Limiter
}

// NewPool returns a pool that serves nothing yet. It fails when the meter provider refuses the instruments.
func NewPool(config Config) (*Pool, error) {
	m, err := newMetrics(config.MeterProvider)
	if err != nil {
		return nil, err
	}
	log := config.Logger
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	cutoff, cut := context.WithCancel(context.Background())
	replied := config.Replied
	if replied == nil {
		replied = func(route.Target, event.Event) {}
	}
	current := config.Current
	if current == nil {
		current = func() bool { return true }
	}
	return &Pool{
		ports: &ports{
			opener: config.Opener, store: config.Store, sender: config.Sender, replied: replied, metrics: m, log: log,
			current: current, brief: limit.New(allBrief),
		},
		cutoff: cutoff,
		cut:    cut,
		lanes:  map[route.TargetKey]*lane{},
	}, nil
}

// Sync makes the pool serve exactly the wanted targets: it stops what is not among them, starts what is missing, and gives
// a changed target a new runner. It is level-based: any number of calls with the same targets changes nothing.
// A target that is not ready, or has no consumer or nowhere to send to, is not served. The caller must not modify the targets later.
//
// Sync returns when every new or changed target is served as wanted, and no longer as before, or when ctx ends. After Drain, Sync does
// nothing.
func (p *Pool) Sync(ctx context.Context, wanted []route.Target) {
	for _, o := range p.assign(wanted) {
		select {
		case <-o.served:
		case <-o.ctx.Done():
		case <-ctx.Done():
			return
		}
	}
}

// assign gives every lane its order and returns the orders that are new.
func (p *Pool) assign(wanted []route.Target) []*order {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.draining {
		return nil
	}
	targets := servable(wanted)
	for key, l := range p.lanes {
		if _, ok := targets[key]; !ok {
			l.withdraw()
		}
	}
	var orders []*order
	for key, target := range targets {
		l, known := p.lanes[key]
		if known && l.serves(target) {
			continue
		}
		if !known {
			l = newLane(key, p.ports)
			p.lanes[key] = l
		}
		orders = append(orders, l.assign(p.cutoff, target))
		if !known {
			p.running.Go(func() { l.run(p.cutoff, p.retire) })
		}
	}
	return orders
}

// servable indexes the targets that can be served.
func servable(wanted []route.Target) map[route.TargetKey]route.Target {
	targets := make(map[route.TargetKey]route.Target, len(wanted))
	for _, t := range wanted {
		if t.NotReady == "" && t.Consumer != "" && t.Endpoint() != nil {
			targets[t.Key] = t
		}
	}
	return targets
}

// retire removes a lane that has nothing to serve and whose sources are stopped. It returns false when the lane has
// meanwhile got a new order. A lane stays in the map until then, so that no second one opens the same sources.
func (p *Pool) retire(l *lane) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if l.current() != nil {
		return false
	}
	delete(p.lanes, l.key)
	return true
}

// Stats returns the counts of every target that is being served.
func (p *Pool) Stats() map[route.TargetKey]Stats {
	p.mu.Lock()
	defer p.mu.Unlock()
	stats := make(map[route.TargetKey]Stats, len(p.lanes))
	for key, l := range p.lanes {
		stats[key] = l.stats()
	}
	return stats
}

// Drain stops serving: it takes no further message, gives the waiting ones back, and lets requests in flight finish
// until ctx ends; then it breaks them off and gives their messages back, which does not count as an attempt.
// It returns when every goroutine of the pool has ended.
func (p *Pool) Drain(ctx context.Context) {
	p.mu.Lock()
	p.draining = true
	for _, l := range p.lanes {
		l.withdraw()
	}
	p.mu.Unlock()

	stop := context.AfterFunc(ctx, p.cut)
	defer stop()
	p.running.Wait()
	p.cut()
}

// same reports whether two targets are equal, so that a running one need not be replaced.
func same(a, b route.Target) bool { return reflect.DeepEqual(a, b) }
