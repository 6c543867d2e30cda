package owner

import (
	"context"
	"errors"
	"iter"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/dispatch"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/event"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/consume"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/internal/jstest"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/routes"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/route"
)

// process reads as one filter process does.
type process struct {
	*consume.Opener
	t       testing.TB
	end     context.CancelFunc
	running sync.WaitGroup
	stopped atomic.Bool
}

// distrustful returns a process that reads nothing until it is told to trust its targets.
func (i *installation) distrustful(c *jetstream.Client) *process {
	return startProcess(i.t, c, i.broker)
}

func startProcess(t testing.TB, c *jetstream.Client, addresses ...route.Address) *process {
	t.Helper()
	return startParking(t, consume.Config{Client: c, Park: storeOf(t, c, jstest.Table(addresses...)).Park})
}

// startParking starts a process that reads and parks so.
func startParking(t testing.TB, config consume.Config) *process {
	t.Helper()
	ctx, end := context.WithCancel(context.Background())
	p := &process{t: t, end: end, Opener: consume.New(config)}
	c := config.Client
	before := c.Conn().NumSubscriptions()
	p.running.Go(func() { p.Run(ctx) })
	jstest.Await(t, "it hears of changes", func() bool { return c.Conn().NumSubscriptions() > before })
	t.Cleanup(p.stop)
	return p
}

// process returns one that trusts its targets whatever happens.
func (i *installation) process(c *jetstream.Client) *process { return i.distrustful(c).trustful() }

func (p *process) trustful() *process {
	trust := func() { p.TrustUntil(time.Now().Add(time.Hour), p.Heard()) }
	p.OnChange(trust)
	trust()
	return p
}

// stop ends the process: what it holds is given back.
func (p *process) stop() {
	p.OnChange(func() {})
	p.end()
	p.running.Wait()
	p.stopped.Store(true)
}

// knows tells the process of exactly these targets.
func (p *process) knows(live ...route.Target) { p.knowsAlso(live) }

// knowsAlso tells the process of targets that have ended, too.
func (p *process) knowsAlso(live []route.Target, ended ...route.Target) {
	s := route.Snapshot{Targets: map[route.TargetKey]route.Target{}, Ended: map[route.TargetKey]route.Target{}}
	for _, t := range live {
		s.Targets[t.Key] = t
	}
	for _, t := range ended {
		s.Ended[t.Key] = t
	}
	p.Follow(s)
}

// reading is what a process reads of one kind for one target.
type reading struct {
	dispatch.Source
	process *process
}

// Stop ends the process with it.
func (r reading) Stop() {
	r.Source.Stop()
	r.process.stop()
}

// open reads the log of the target, with so many requests at a time, as a process does in which no other target is served.
func open(t testing.TB, c *jetstream.Client, target route.Target, inFlight int) reading {
	t.Helper()
	p := alone(t, c, target, inFlight)
	return reading{p.Log(target), p}
}

// alone is a process in which the target alone is served.
func alone(t testing.TB, c *jetstream.Client, target route.Target, inFlight int) *process {
	t.Helper()
	records, err := routes.Records(jstest.Context(t), c, "")
	if !errors.Is(err, route.ErrRecord) {
		jstest.Must(t, err)
	}
	var addresses []route.Address
	target.MaxInFlight = inFlight
	live := []route.Target{target}
	for _, r := range records {
		switch {
		case r.DeletedAt != nil:
		case r.Address != nil:
			addresses = append(addresses, *r.Address)
		case r.Target.Key != target.Key:
			r.Target.NotReady = "it is not read here"
			live = append(live, *r.Target)
		}
	}
	p := startProcess(t, c, addresses...).trustful()
	p.knows(live...)
	return p
}

// all yields messages until the process is stopped.
func (r reading) all() iter.Seq[dispatch.Message] {
	return func(yield func(dispatch.Message) bool) {
		for !r.process.stopped.Load() {
			if m, ok := poll(r, 100*time.Millisecond); ok && !yield(m) {
				return
			}
		}
	}
}

// poll takes the next message, if there is one within the time.
func poll(source dispatch.Source, patience time.Duration) (dispatch.Message, bool) {
	timer := time.NewTimer(patience)
	defer timer.Stop()
	for {
		if m, ok := source.Take(); ok {
			return m, true
		}
		select {
		case <-source.Ready():
		case <-timer.C:
			return dispatch.Message{}, false
		}
	}
}

// next takes one message.
func next(t testing.TB, source dispatch.Source) dispatch.Message {
	t.Helper()
	m, ok := poll(source, jstest.Patience)
	if !ok {
		t.Fatalf("no message in %s", jstest.Patience)
	}
	return m
}

// ackAll acknowledges all that comes until the test ends, and reports the ids.
func ackAll(t testing.TB, source dispatch.Source) <-chan string {
	ids := make(chan string, 1<<16)
	go func() {
		for t.Context().Err() == nil {
			if m, ok := poll(source, time.Second); ok {
				ids <- m.Event.Attr(event.ID)
				_ = m.Ack()
			}
		}
	}()
	return ids
}
