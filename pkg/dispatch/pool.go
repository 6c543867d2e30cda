package dispatch

import (
	"context"
	"log/slog"
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
	// Replied, if not nil, is called for each reply: a Broker's once it is stored, a Channel's when
	// it comes. It must not block.
	Replied func(from route.Target, reply event.Event)
	// MeterProvider takes the measurements; nil means OpenTelemetry's global one.
	MeterProvider metric.MeterProvider
	// Current reports whether the targets of the last Sync are certainly the newest that are in
	// force anywhere; nil means always. While they may be outdated no attempt begins (I3): sources
	// yield nothing, and work that waits for its next attempt waits on.
	Current func() bool
	// Logger gets what an operator should know; nil means silence.
	Logger *slog.Logger
}

// Pool serves every target with a dispatcher of its own, so that a slow or failing subscriber holds
// up no other target (I8). Safe for concurrent use.
type Pool struct {
	ports *ports
	// abort ends ports.requests.
	abort context.CancelFunc
	// running counts the goroutines of the dispatchers.
	running sync.WaitGroup

	mu          sync.Mutex
	dispatchers map[route.TargetKey]*dispatcher
	draining    bool
}

// ports is what all dispatchers of a pool share.
type ports struct {
	Config
	metrics *metrics
	// places are those of small tasks beyond a target's own places to wait.
	places *limit.Limiter
	// requests ends when the requests in flight, and the calls of the store, are to be aborted.
	requests context.Context
}

// NewPool returns a pool that serves nothing yet. It fails when the meter provider refuses the
// instruments.
func NewPool(config Config) (*Pool, error) {
	m, err := newMetrics(config.MeterProvider)
	if err != nil {
		return nil, err
	}
	if config.Logger == nil {
		config.Logger = slog.New(slog.DiscardHandler)
	}
	if config.Replied == nil {
		config.Replied = func(route.Target, event.Event) {}
	}
	if config.Current == nil {
		config.Current = func() bool { return true }
	}
	requests, abort := context.WithCancel(context.Background())
	shared := &ports{Config: config, metrics: m, places: limit.New(sharedPlaces), requests: requests}
	return &Pool{ports: shared, abort: abort, dispatchers: map[route.TargetKey]*dispatcher{}}, nil
}

// Sync makes the pool serve exactly the wanted targets: it stops what is not among them, starts
// what is missing, and gives a changed target a new runner. It is level-based: any number of calls
// with the same targets changes nothing. A target that is not ready, or has no consumer or nowhere
// to send to, is not served. The caller must not modify the targets later.
//
// Sync returns when every new or changed target is served as wanted, and no longer as before, or
// when ctx ends. After Drain, Sync does nothing.
func (p *Pool) Sync(ctx context.Context, wanted []route.Target) {
	for _, r := range p.assign(wanted) {
		select {
		case <-r.served:
		case <-r.ctx.Done():
		case <-ctx.Done():
			return
		}
	}
}

// assign gives every dispatcher its target and returns the runners that are new.
func (p *Pool) assign(wanted []route.Target) []*runner {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.draining {
		return nil
	}
	targets := servable(wanted)
	for key, d := range p.dispatchers {
		if _, ok := targets[key]; !ok {
			d.replace(nil)
		}
	}
	var runners []*runner
	for key, target := range targets {
		d, known := p.dispatchers[key]
		if known && d.serves(target) {
			continue
		}
		if !known {
			d = newDispatcher(key, p.ports)
			p.dispatchers[key] = d
		}
		runners = append(runners, d.assign(target))
		if !known {
			p.running.Go(func() { d.run(p.retire) })
		}
	}
	return runners
}

// servable indexes the targets that can be served.
func servable(wanted []route.Target) map[route.TargetKey]route.Target {
	targets := make(map[route.TargetKey]route.Target, len(wanted))
	for _, t := range wanted {
		if t.Delivers() && t.Consumer != "" && t.Endpoint() != nil {
			targets[t.Key] = t
		}
	}
	return targets
}

// retire removes a dispatcher that has nothing to serve and whose sources are stopped. It returns
// false when the dispatcher has got a new runner meanwhile. A dispatcher stays in the map until
// then, so that no second one opens the same sources.
func (p *Pool) retire(d *dispatcher) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if d.current() != nil {
		return false
	}
	delete(p.dispatchers, d.key)
	return true
}

// Drain stops serving: it takes no further message, releases the waiting ones, and lets requests in
// flight finish until ctx ends; then it aborts them and releases their messages, which does not
// count as an attempt. It returns when every goroutine of the pool has ended.
func (p *Pool) Drain(ctx context.Context) {
	p.mu.Lock()
	p.draining = true
	for _, d := range p.dispatchers {
		d.replace(nil)
	}
	p.mu.Unlock()

	stop := context.AfterFunc(ctx, p.abort)
	defer stop()
	p.running.Wait()
	p.abort()
}
