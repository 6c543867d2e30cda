package send

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/eventing-jetstream/eventing-jetstream/cmd/internal/latency"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/event"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/loop"
)

// Run sends the events and returns what became of them. The error tells that the options are wrong, and then nothing was sent;
// refused events are not an error here, see Report.Err. When ctx ends, Run sends no further event and gives up the requests
// that are under way.
func Run(ctx context.Context, options Options) (Report, error) {
	if err := options.validate(); err != nil {
		return Report{}, err
	}
	options = options.withDefaults()
	if err := check(options); err != nil {
		return Report{}, err
	}
	poster, closeIdle := newPoster(options)
	defer closeIdle()

	requests := (options.Count + options.perRequest() - 1) / options.perRequest()
	tallies := make([]tally, min(options.Connections, requests))
	run := &run{options: options, poster: poster, start: time.Now(), latencies: latency.New()}
	var workers sync.WaitGroup
	for i := range tallies {
		workers.Go(func() { run.work(ctx, &tallies[i]) })
	}
	workers.Wait()
	return run.report(tallies), nil
}

// check encodes and reads the first event, or each of Events, as the ingress would, so that what is wrong is said before anything is
// sent.
func check(options Options) error {
	now := time.Now()
	for i := range max(1, len(options.Events)) {
		e := options.event(i, now)
		err := encode(options, i, 1).read()
		if err == nil {
			err = e.Validate()
		}
		if contentType := e.Attr(event.DataContentType); options.Mode == Binary && (event.IsStructured(contentType) || event.IsBatch(contentType)) {
			err = errBinary
		}
		if err != nil && len(options.Events) > 0 {
			return fmt.Errorf("event %d (%s): %w", i+1, printable(e.Attr(event.ID)), err)
		}
		if err != nil {
			return fmt.Errorf("event: %w", err)
		}
	}
	return nil
}

// run is the state that the workers share.
type run struct {
	options Options
	poster  *poster
	start   time.Time
	// next is the index of the first event that no worker has taken.
	next      atomic.Int64
	latencies *latency.Histogram
	// first is the earliest refusal that a worker saw.
	first atomic.Pointer[Refusal]
}

// tally is what one worker has counted; its own, so that workers do not wait for each other.
type tally struct {
	sent, accepted, retries int
	refused                 map[int]int
}

// work takes events and sends them until none is left or ctx ends.
func (r *run) work(ctx context.Context, t *tally) {
	for ctx.Err() == nil {
		step := r.options.perRequest()
		first := int(r.next.Add(int64(step))) - step
		if first >= r.options.Count {
			return
		}
		due := r.due(first)
		if !loop.Sleep(ctx, time.Until(due)) {
			return
		}
		m := encode(r.options, first, min(step, r.options.Count-first))
		last := r.poster.post(ctx, m)
		r.latencies.Record(time.Since(due))
		r.count(t, m, last)
	}
}

// due returns when the event with this index is to be sent: at its place in the schedule, or now when there is none.
func (r *run) due(i int) time.Time {
	if r.options.Rate == 0 {
		return time.Now()
	}
	return r.start.Add(time.Duration(float64(i) / r.options.Rate * float64(time.Second)))
}

func (r *run) count(t *tally, m message, last outcome) {
	accepted := last.accepted(m)
	t.sent += m.events
	t.accepted += accepted
	t.retries += last.retries
	if refused := m.events - accepted; refused > 0 {
		if t.refused == nil {
			t.refused = map[int]int{}
		}
		t.refused[last.status] += refused
		r.first.CompareAndSwap(nil, &Refusal{Status: last.status, Body: string(last.head), Err: last.err})
	}
	if r.options.Progress != nil {
		r.options.Progress(m.events)
	}
}

func (r *run) report(tallies []tally) Report {
	report := Report{
		Asked: r.options.Count, Refused: map[int]int{},
		Duration: time.Since(r.start), First: r.first.Load(),
	}
	for i := range tallies {
		t := &tallies[i]
		report.Sent += t.sent
		report.Accepted += t.accepted
		report.Retries += t.retries
		for status, n := range t.refused {
			report.Refused[status] += n
		}
	}
	report.P50, report.P99 = r.latencies.Percentile(50), r.latencies.Percentile(99)
	return report
}
