package bench

import (
	"os"
	"sync"
	"time"

	"github.com/eventing-jetstream/eventing-jetstream/cmd/internal/bench/load"
	"github.com/eventing-jetstream/eventing-jetstream/cmd/internal/bench/process"
)

const (
	// maxSamples bounds the timeline: when it is full, every second sample goes and they are taken half as often.
	maxSamples  = 400
	sampleEvery = 50 * time.Millisecond
)

// sampler reads, again and again, how things stand. Safe for concurrent use.
type sampler struct {
	run *run

	mu       sync.Mutex
	timeline []Sample
	every    time.Duration
	// from and to are where the span begins and ends.
	from, to Sample
}

func newSampler(r *run) *sampler { return &sampler{run: r, every: sampleEvery} }

// start fills the timeline until the function that it returns is called.
func (s *sampler) start() (stop func()) {
	var sampling sync.WaitGroup
	ended := make(chan struct{})
	sampling.Go(func() {
		tick := time.NewTicker(sampleEvery)
		defer tick.Stop()
		for {
			s.sample()
			select {
			case <-tick.C:
			case <-ended:
				return
			}
		}
	})
	return func() {
		close(ended)
		sampling.Wait()
	}
}

// begin begins the span that is measured.
func (s *sampler) begin() {
	now := s.take()
	s.run.receiver.MeasureFrom(now.At)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.from = now
}

// end ends it.
func (s *sampler) end() {
	now := s.take()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.to = now
}

// sample adds to the timeline, if it is time.
func (s *sampler) sample() {
	s.mu.Lock()
	defer s.mu.Unlock()
	at := time.Since(s.run.began)
	if n := len(s.timeline); n > 0 && at-s.timeline[n-1].At < s.every {
		return
	}
	if len(s.timeline) == maxSamples {
		for i := range maxSamples / 2 {
			s.timeline[i] = s.timeline[2*i]
		}
		s.timeline, s.every = s.timeline[:maxSamples/2], 2*s.every
	}
	s.timeline = append(s.timeline, s.take())
}

func (s *sampler) take() Sample {
	now := Sample{At: time.Since(s.run.began), Accepted: s.run.ledger.Accepted(), Settled: s.run.ledger.Settled()}
	for _, pid := range s.pids() {
		u, _ := process.UsageOf(pid) // what has ended has used nothing any more
		now.Usage = append(now.Usage, SampleUse{CPU: u.CPU, Resident: u.Resident, peak: u.Peak})
	}
	return now
}

// pids are the numbers of the processes; this one comes first.
func (s *sampler) pids() []int {
	pids := []int{os.Getpid()}
	for _, p := range s.run.system.running() {
		pids = append(pids, p.Pid())
	}
	return pids
}

// result puts together what was found.
func (s *sampler) result(stats load.Stats, drain time.Duration) Result {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.run
	result := Result{
		Options: r.Options, At: r.began, Tally: r.ledger.Tally(r.attempts()), Refused: stats.Refused, Foreign: r.receiver.Foreign(),
		Span: s.to.At - s.from.At, Drain: drain, EndToEnd: r.receiver.EndToEnd.Summary(), Timeline: s.timeline,
	}
	if stats.Latency != nil {
		result.Accept = stats.Latency.Summary()
	}
	first, last, pause := r.receiver.Arrivals()
	result.LongestPause = pause
	events := s.to.Accepted - s.from.Accepted
	if !r.loads() {
		result.Span, events = last-first, s.to.Settled/max(r.Workload.TargetsPerEvent(), 1)
	}
	if seconds := result.Span.Seconds(); seconds > 0 {
		result.AcceptedPerSecond = float64(s.to.Accepted-s.from.Accepted) / seconds
		result.DeliveredPerSecond = float64(s.to.Settled-s.from.Settled) / seconds
	}
	result.Processes = s.uses(max(events, 1))
	return result
}

// uses are what the processes have used in the span; one that started in it, since it started.
func (s *sampler) uses(events int) []ProcessUse {
	names := []string{ProcessLoad}
	for _, p := range s.run.system.running() {
		names = append(names, p.Name)
	}
	uses := make([]ProcessUse, len(names))
	for i, name := range names {
		uses[i].Name = name
		if i < len(s.to.Usage) {
			uses[i].CPU, uses[i].Resident, uses[i].Peak = s.to.Usage[i].CPU, s.to.Usage[i].Resident, s.to.Usage[i].peak
		}
		if i < len(s.from.Usage) {
			uses[i].CPU -= s.from.Usage[i].CPU
		}
		uses[i].CPUPerEvent = uses[i].CPU / time.Duration(events)
	}
	return uses
}
