package suite

import (
	"math"
	"time"

	"github.com/eventing-jetstream/eventing-jetstream/cmd/internal/bench"
	"github.com/eventing-jetstream/eventing-jetstream/cmd/internal/bench/floor"
)

// Round is what one round has found. What was not measured, or not with success, is not a number.
type Round struct {
	At   time.Time               `json:"at"`
	Runs map[string]bench.Result `json:"runs"`
	// Stream are F4 and F5.
	Stream floor.StreamResult `json:"stream"`
	// Idle is the memory of the processes by the number of Triggers.
	Idle map[int][]bench.ProcessUse `json:"idle"`
	// Failed says which runs failed, and why; a run that lost an event is one.
	Failed map[string]string `json:"failed,omitempty"`

	backlog int
}

// Failures are the runs that failed, and why.
func (r Round) Failures() (failures []string) {
	for _, name := range sortedKeys(r.Failed) {
		failures = append(failures, name+": "+r.Failed[name])
	}
	return failures
}

// result returns what a run found, if it succeeded.
func (r Round) result(run string) (bench.Result, bool) {
	result, ran := r.Runs[run]
	_, failed := r.Failed[run]
	return result, ran && !failed
}

func (r Round) accepted(run string) float64 {
	return r.value(run, func(b bench.Result) float64 { return b.AcceptedPerSecond })
}

func (r Round) delivered(run string) float64 {
	return r.value(run, func(b bench.Result) float64 { return b.DeliveredPerSecond })
}

// cpu is the CPU time per event in microseconds, of a process or, for "", of all.
func (r Round) cpu(run, process string) float64 {
	return r.value(run, func(b bench.Result) float64 {
		return positive(float64(b.CPUPerEvent(process)) / float64(time.Microsecond))
	})
}

func (r Round) value(run string, of func(bench.Result) float64) float64 {
	if result, ok := r.result(run); ok {
		return of(result)
	}
	return math.NaN()
}

// The floors.

func (r Round) f1() float64  { return r.accepted("f1") }
func (r Round) f2a() float64 { return r.accepted("f2a") }
func (r Round) f2b() float64 { return r.accepted("f2b") }
func (r Round) f4() float64  { return positive(r.Stream.ConsumedPerSecond) }
func (r Round) f5() float64  { return positive(r.Stream.PublishedPerSecond) }
func (r Round) f6() float64  { return r.delivered("f6") }

// s is S(n): the deliveries per second that n Triggers for every event could get if nothing but the floors cost anything.
func (r Round) s(n float64) float64 { return 1 / (1/n/r.f2b() + 1/r.f4() + 1/r.f1()) }

// chain is what a reply chain could get likewise: an event is stored, taken and delivered, and so is its reply, without HTTP.
func (r Round) chain() float64 { return 1 / (2/r.f4() + 2/r.f1() + 1/r.f2b() + 1/r.f5()) }

// resident is a process's memory in bytes when so many Triggers have nothing to do.
func (r Round) resident(process string, triggers int) float64 {
	for _, p := range r.Idle[triggers] {
		if p.Name == process {
			return positive(float64(p.Resident))
		}
	}
	return math.NaN()
}

// growth is how much more memory a process had in the second half of a run than in the first, as a ratio of the peaks.
func (r Round) growth(run, process string) float64 {
	return r.value(run, func(b bench.Result) float64 {
		place := -1
		for i, p := range b.Processes {
			if p.Name == process {
				place = i
			}
		}
		first, second := 0.0, 0.0
		halfway := b.Expected / 2
		for _, s := range b.Timeline {
			switch {
			case place < 0 || place >= len(s.Usage) || s.Settled == 0:
			case s.Settled < halfway:
				first = max(first, float64(s.Usage[place].Resident))
			default:
				second = max(second, float64(s.Usage[place].Resident))
			}
		}
		return second / positive(first)
	})
}

// positive is a number that was measured: 0 is none.
func positive(n float64) float64 {
	if n <= 0 {
		return math.NaN()
	}
	return n
}
