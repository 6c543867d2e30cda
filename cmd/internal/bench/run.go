package bench

import (
	"context"
	"crypto/rand"
	"errors"
	"time"

	"github.com/eventing-jetstream/eventing-jetstream/cmd/internal/bench/ledger"
	"github.com/eventing-jetstream/eventing-jetstream/cmd/internal/bench/load"
	"github.com/eventing-jetstream/eventing-jetstream/cmd/internal/bench/receiver"
)

// Run measures once. The options must be valid. The error tells that the run could not be made, or not to its end because ctx has
// ended; what became of the events is Result.Err.
func Run(ctx context.Context, o Options) (result Result, err error) {
	r := &run{Options: o, id: rand.Text()[:8], began: time.Now(), system: &system{options: o}}
	targets := o.Workload.Targets()
	r.ledger = ledger.New(targets, o.eventLimit())
	r.window = load.NewWindow(o.Load.Window)
	r.receiver, err = receiver.Start(ctx, o.Listen, receiver.Options{
		Behaviour: o.Subscriber, Targets: targets, Ledger: r.ledger, Run: r.id, Began: r.began,
		Settled: func() { r.window.Leave(1) },
	})
	if err != nil {
		return Result{}, err
	}
	defer r.receiver.Close()
	defer func() { err = errors.Join(err, r.system.stop(ctx)) }()
	if err := r.system.start(ctx, "http://"+r.receiver.Address()); err != nil {
		return Result{}, err
	}
	r.client = load.NewClient(load.ClientOptions{
		URL: r.system.url, Connections: o.Load.Connections, Timeout: o.Load.Timeout, Workload: o.Workload, Run: r.id,
		Answered: r.answered,
	})
	defer r.client.Close()
	return r.measure(ctx)
}

// run is one run.
type run struct {
	Options
	id       string
	began    time.Time
	system   *system
	ledger   *ledger.Ledger
	window   *load.Window
	receiver *receiver.Receiver
	client   *load.Client
}

func (r *run) measure(ctx context.Context) (Result, error) {
	if r.Backlog > 0 {
		r.fill(ctx)
	}
	s := newSampler(r)
	defer s.start()()
	if r.loads() {
		if err := r.system.startFilter(ctx); err != nil {
			return Result{}, err
		}
		profiles := r.profile(ctx)
		stats := r.load(ctx, s)
		drain, err := r.drain(ctx)
		return s.result(stats, drain), errors.Join(err, profiles(), ctx.Err())
	}
	// With a backlog alone the time counts from the first delivery: the filter's start is not part of it.
	s.begin()
	if err := r.system.startFilter(ctx); err != nil {
		return Result{}, err
	}
	_, err := r.drain(ctx)
	s.end()
	return s.result(load.Stats{}, 0), errors.Join(err, ctx.Err())
}

// loads tells whether there is more to send than a backlog.
func (r *run) loads() bool { return r.Load.Duration > 0 || r.Load.Count > 0 }

// fill stores the backlog.
func (r *run) fill(ctx context.Context) {
	stop := r.watch("storing the backlog", func() float64 { return float64(r.ledger.Accepted()) / float64(r.Backlog) })
	defer stop()
	load.Run(ctx, load.Plan{
		Connections: r.Load.Connections, PerRequest: r.Workload.PerRequest(), Count: r.Backlog, Began: r.began,
	}, 0, r.client.NewPost)
}

// load sends what is measured.
func (r *run) load(ctx context.Context, s *sampler) load.Stats {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	go func() {
		select {
		case <-r.Stop:
			cancel()
		case <-ctx.Done():
		}
	}()
	start := time.Now()
	stop := r.watch("sending", func() float64 {
		if r.Load.Count > 0 {
			return float64(r.ledger.Accepted()-r.Backlog) / float64(r.Load.Count)
		}
		return float64(time.Since(start)) / float64(r.Load.Duration)
	})
	defer stop()
	if r.Load.Warmup == 0 {
		s.begin()
	} else {
		defer time.AfterFunc(r.Load.Warmup, s.begin).Stop()
	}
	plan := load.Plan{
		Connections: r.Load.Connections, Rate: r.Load.Rate, PerRequest: r.Workload.PerRequest(),
		Count: r.Load.Count, Duration: r.Load.Duration, Warmup: r.Load.Warmup, Began: r.began,
	}
	if r.Load.Rate == 0 {
		plan.Enter = func(ctx context.Context, events int) bool {
			return r.window.Enter(ctx, events*r.Workload.TargetsPerEvent())
		}
	}
	stats := load.Run(ctx, plan, r.Backlog, r.client.NewPost)
	s.end()
	return stats
}

// answered notes what became of a request.
func (r *run) answered(first, count int, o load.Outcome) {
	r.ledger.Accept(first, o.Accepted)
	if refused := count - o.Accepted; refused > 0 && r.Load.Rate == 0 {
		r.window.Leave(refused * r.Workload.TargetsPerEvent())
	}
}

// drain waits until every accepted event is settled, or nothing has come for the patience. It returns how long that took.
func (r *run) drain(ctx context.Context) (time.Duration, error) {
	expected := r.ledger.Accepted() * r.Workload.TargetsPerEvent()
	stop := r.watch("waiting for what is under way", func() float64 { return float64(r.ledger.Settled()) / float64(max(expected, 1)) })
	defer stop()
	start, moved, last := time.Now(), time.Now(), -1
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		settled := r.ledger.Settled()
		if settled >= expected && r.ledger.Tally(r.attempts()).Lost == 0 {
			return time.Since(start), nil
		}
		if settled != last {
			moved, last = time.Now(), settled
		}
		if time.Since(moved) > r.Patience {
			return time.Since(start), nil
		}
		if err := r.system.failure(); err != nil {
			return 0, err
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return time.Since(start), nil
		}
	}
}
