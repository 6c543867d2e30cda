// Package load makes the load of a benchmark: open loop, by a schedule that waits for nobody, or closed loop, as fast as a number of
// connections gets answers.
package load

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/eventing-jetstream/eventing-jetstream/cmd/internal/latency"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/loop"
)

// Plan is how much is sent, and when.
type Plan struct {
	// Connections bounds the requests at one time.
	Connections int
	// Rate is the number of events per second that become due, whether or not earlier ones are answered; 0 is a closed loop.
	Rate float64
	// PerRequest is the number of events in one request.
	PerRequest int
	// Count ends the load after so many events, Duration after this time; 0 is no such end.
	Count    int
	Duration time.Duration
	// Warmup is how long at the beginning latencies are not recorded.
	Warmup time.Duration
	// Began is when the run began: events are due so long after it.
	Began time.Time
	// Enter, if not nil, is called before each request with the number of its events, and blocks while too many are under way.
	// It reports whether there is room, which is false once ctx has ended.
	Enter func(ctx context.Context, events int) bool
}

// Outcome is what became of one request. Status 0 is no answer.
type Outcome struct{ Status, Accepted int }

// Post sends the events first to first+count-1, due so long after the run began, and returns when they are answered.
type Post func(first, count int, due time.Duration) Outcome

// Stats are what the load's own side has seen.
type Stats struct {
	Sent, Accepted int
	// Refused counts events by the status of their answer.
	Refused map[int]int
	// Latency is the time from when a request was due to its answer.
	Latency *latency.Histogram
	// Span is how long it took from when the load began to its last answer.
	Span time.Duration
}

// refusedPause keeps a closed loop from doing nothing but being refused.
const refusedPause = 10 * time.Millisecond

// Run sends until the plan or ctx ends, numbering events from first on. newPost is called once for each connection.
func Run(ctx context.Context, p Plan, first int, newPost func() Post) Stats {
	if p.Duration > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, p.Duration)
		defer cancel()
	}
	r := &running{Plan: p, first: first, start: time.Now(), latency: latency.New()}
	workers := make([]worker, p.Connections)
	var all sync.WaitGroup
	for i := range workers {
		workers[i] = worker{running: r, post: newPost(), refused: map[int]int{}}
		all.Go(func() { workers[i].work(ctx) })
	}
	all.Wait()
	stats := Stats{Refused: map[int]int{}, Latency: r.latency, Span: time.Since(r.start)}
	for _, w := range workers {
		stats.Sent += w.sent
		stats.Accepted += w.accepted
		for status, n := range w.refused {
			stats.Refused[status] += n
		}
	}
	return stats
}

// running is what the workers share.
type running struct {
	Plan
	first   int
	start   time.Time
	next    atomic.Int64
	latency *latency.Histogram
}

// worker is one connection.
type worker struct {
	*running
	post           Post
	sent, accepted int
	refused        map[int]int
}

func (w *worker) work(ctx context.Context) {
	for ctx.Err() == nil {
		place := int(w.next.Add(int64(w.PerRequest))) - w.PerRequest
		count := w.PerRequest
		if w.Count > 0 {
			count = min(count, w.Count-place)
		}
		if count <= 0 || !w.turn(ctx, place, count) {
			return
		}
		due := w.due(place)
		o := w.post(w.first+place, count, due.Sub(w.Began))
		w.sent += count
		w.accepted += o.Accepted
		if due.Sub(w.start) >= w.Warmup {
			w.latency.Record(time.Since(due))
		}
		if refused := count - o.Accepted; refused > 0 {
			w.refused[o.Status] += refused
			if w.Rate == 0 {
				loop.Sleep(ctx, refusedPause)
			}
		}
	}
}

// turn waits until the request is due and there is room for it.
func (w *worker) turn(ctx context.Context, place, count int) bool {
	if w.Rate > 0 && !loop.Sleep(ctx, time.Until(w.due(place))) {
		return false
	}
	return w.Enter == nil || w.Enter(ctx, count)
}

// due is when the event at this place is to be sent: by the schedule, or, in a closed loop, now.
func (w *worker) due(place int) time.Time {
	if w.Rate == 0 {
		return time.Now()
	}
	return w.start.Add(time.Duration(float64(place) / w.Rate * float64(time.Second)))
}
