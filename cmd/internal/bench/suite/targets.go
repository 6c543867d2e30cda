package suite

import (
	"math"
	"time"

	"github.com/eventing-jetstream/eventing-jetstream/cmd/internal/bench"
)

// Target is a line of issue 5: what is measured, and what it is held against in the same round.
type Target struct {
	ID, What string
	// Wanted is the target in words, Unit the unit of both figures.
	Wanted, Unit string
	// Most says that less is better.
	Most bool
	Got  func(Round) float64
	// Floor is what the figure is held against; nil is nothing, and then Plus alone is the bound, or, with Reported, there is none.
	Floor func(Round) float64
	// Factor and Plus make the bound from the floor.
	Factor, Plus float64
	Reported     bool
}

// bound is the least, or the most, that is wanted.
func (t Target) bound(r Round) float64 {
	if t.Floor == nil {
		return t.Plus
	}
	return t.Factor*t.Floor(r) + t.Plus
}

const (
	perSecond    = "/s"
	microseconds = "us"
	millis       = "ms"
	megabytes    = "MB"
	kilobytes    = "KB"
	times        = "x"
	none         = ""
)

// targets are the targets in their order.
func targets() []Target {
	slots := [][]Target{ingressTargets(), deliveryTargets(), failureTargets(), costTargets()}
	var all []Target
	for _, s := range slots {
		all = append(all, s...)
	}
	return all
}

func ingressTargets() []Target {
	return []Target{
		{ID: "P1", What: "ingress, 64 connections", Wanted: ">= 0.90 x F2b", Unit: perSecond,
			Got: accepted("p1"), Factor: 0.90, Floor: Round.f2b},
		{ID: "P1", What: "ingress, 64 connections", Wanted: ">= 1.15 x F2a", Unit: perSecond,
			Got: accepted("p1"), Factor: 1.15, Floor: Round.f2a},
		{ID: "P2", What: "ingress, CPU per event", Wanted: "<= 1.20 x F2b", Unit: microseconds, Most: true,
			Got:    func(r Round) float64 { return r.cpu("p1", bench.ProcessIngress) },
			Factor: 1.20, Floor: func(r Round) float64 { return r.cpu("f2b", bench.ProcessFloor) }},
		{ID: "P3", What: "ingress, p99 at half of F2b's rate", Wanted: "<= 1.25 x F2b's", Unit: millis, Most: true,
			Got: acceptP99("p3"), Factor: 1.25, Floor: acceptP99("f2b-half")},
		{ID: "P4", What: "structured JSON in, 1 KB", Wanted: ">= 0.7 x binary", Unit: perSecond,
			Got: accepted("p4-structured"), Factor: 0.7, Floor: accepted("p1")},
		{ID: "P4", What: "structured JSON in, 64 KB", Wanted: ">= 0.6 x binary", Unit: perSecond,
			Got: accepted("p4-structured-large"), Factor: 0.6, Floor: accepted("p4-large")},
		{ID: "P5", What: "batches of 100 x 1 KB", Wanted: ">= 0.5 x F5", Unit: perSecond,
			Got: accepted("p5"), Factor: 0.5, Floor: Round.f5},
	}
}

func deliveryTargets() []Target {
	return []Target{
		{ID: "P6", What: "end to end, 1 Trigger", Wanted: ">= 0.85 x S(1)", Unit: perSecond,
			Got: delivered("p6"), Factor: 0.85, Floor: func(r Round) float64 { return r.s(1) }},
		{ID: "P7", What: "end to end, subscriber 10 ms", Wanted: ">= 0.9 x min(F6, P6)", Unit: perSecond,
			Got: delivered("p7"), Factor: 0.9, Floor: func(r Round) float64 { return min(r.f6(), r.delivered("p6")) }},
		{ID: "P8", What: "10 match-all Triggers, deliveries", Wanted: ">= 0.85 x S(10)", Unit: perSecond,
			Got: delivered("p8"), Factor: 0.85, Floor: func(r Round) float64 { return r.s(10) }},
		{ID: "P9", What: "100 Triggers on 100 types", Wanted: ">= 0.85 x P6", Unit: perSecond,
			Got: delivered("p9"), Factor: 0.85, Floor: delivered("p6")},
		{ID: "P9", What: "the same, lag (p99.9)", Wanted: "< 1 s", Unit: millis, Most: true,
			Got: endToEnd("p9", 99.9), Plus: 1000},
		{ID: "P10", What: "100 Triggers by suffix", Wanted: ">= 0.5 x P6", Unit: perSecond,
			Got: delivered("p10-suffix"), Factor: 0.5, Floor: delivered("p6")},
		{ID: "P10", What: "100 Triggers by CESQL", Wanted: ">= 0.5 x P6", Unit: perSecond,
			Got: delivered("p10-cesql"), Factor: 0.5, Floor: delivered("p6")},
		{ID: "P11", What: "end to end at 500/s, p50", Wanted: "<= F2b + F4 + F1 + 0.5 ms", Unit: millis, Most: true,
			Got: endToEnd("p11", 50), Factor: 1, Plus: 0.5, Floor: floors(50)},
		{ID: "P11", What: "end to end at 500/s, p99", Wanted: "<= F2b + F4 + F1 + 2 ms", Unit: millis, Most: true,
			Got: endToEnd("p11", 99), Factor: 1, Plus: 2, Floor: floors(99)},
	}
}

func failureTargets() []Target {
	return []Target{
		{ID: "P12", What: "p99 of 9 Triggers beside one always 503", Wanted: "<= 1.5 x without it", Unit: millis, Most: true,
			Got: endToEnd("p12", 99), Factor: 1.5, Floor: endToEnd("p12-healthy", 99)},
		{ID: "P13", What: "10 % random 500s, events stored", Wanted: "kept up: >= 0.99 x offered", Unit: perSecond,
			Got: accepted("p13"), Factor: 0.99, Floor: func(r Round) float64 { return r.value("p13", offered) }},
		{ID: "P13", What: "the same, last delivery after the load", Wanted: "kept up: within 5 s", Unit: millis, Most: true,
			Got: func(r Round) float64 {
				return r.value("p13", func(b bench.Result) float64 { return inMillis(b.Drain) })
			},
			Plus: 5000},
		{ID: "P13", What: "the same, dead letters", Wanted: "exactly the exhausted ones: 0 wrong", Unit: none, Most: true,
			Got: func(r Round) float64 {
				return r.value("p13", func(b bench.Result) float64 { return float64(b.Misjudged) })
			},
			Plus: 0},
		{ID: "P14", What: "drain a backlog", Wanted: ">= 0.85 / (1/F4 + 1/F1)", Unit: perSecond,
			Got: delivered("p14"), Factor: 0.85, Floor: func(r Round) float64 { return 1 / (1/r.f4() + 1/r.f1()) }},
		{ID: "P14", What: "the same, filter's memory, second half / first", Wanted: "flat: <= 1.2", Unit: times, Most: true,
			Got: func(r Round) float64 { return r.growth("p14", bench.ProcessFilter) }, Plus: 1.2},
		{ID: "P15", What: "reply chain", Wanted: ">= 0.8 / (2/F4 + 2/F1 + 1/F2b + 1/F5)", Unit: perSecond,
			Got: func(r Round) float64 { return r.delivered("p15") / 2 }, Factor: 0.8, Floor: Round.chain},
	}
}

func costTargets() []Target {
	return []Target{
		{ID: "P16", What: "memory, filter idle", Wanted: "<= 30 MB", Unit: megabytes, Most: true,
			Got: func(r Round) float64 { return r.resident(bench.ProcessFilter, 1) / (1 << 20) }, Plus: 30},
		{ID: "P16", What: "memory, ingress idle", Wanted: "<= 25 MB", Unit: megabytes, Most: true,
			Got: func(r Round) float64 { return r.resident(bench.ProcessIngress, 1) / (1 << 20) }, Plus: 25},
		{ID: "P16", What: "filter's memory per Trigger, from 100 to 1,000", Wanted: "<= 20 KB", Unit: kilobytes, Most: true,
			Got: func(r Round) float64 {
				return (r.resident(bench.ProcessFilter, 1000) - r.resident(bench.ProcessFilter, 100)) / 900 / kilobyte
			}, Plus: 20},
		{ID: "P17", What: "CPU per event, 100 idle Triggers beside", Wanted: "<= 1.05 x without", Unit: microseconds, Most: true,
			Got: func(r Round) float64 { return r.cpu("p17-100", "") }, Factor: 1.05, Floor: func(r Round) float64 { return r.cpu("p17", "") }},
		{ID: "P17", What: "CPU per event, 1,000 idle Triggers beside", Wanted: "<= 1.15 x without", Unit: microseconds, Most: true,
			Got: func(r Round) float64 { return r.cpu("p17-1000", "") }, Factor: 1.15, Floor: func(r Round) float64 { return r.cpu("p17", "") }},
		{ID: "P17", What: "p99.9 while the log is trimmed", Wanted: "reported", Unit: millis, Reported: true, Got: endToEnd("p17-trim", 99.9)},
		{ID: "P17", What: "the same, longest pause", Wanted: "reported", Unit: millis, Reported: true, Got: longestPause("p17-trim")},
		{ID: "P17", What: "p99.9 while trimmed, 1,000 idle Triggers", Wanted: "reported", Unit: millis, Reported: true, Got: endToEnd("p17-1000-trim", 99.9)},
		{ID: "P17", What: "the same, longest pause", Wanted: "reported", Unit: millis, Reported: true, Got: longestPause("p17-1000-trim")},
	}
}

func accepted(run string) func(Round) float64 {
	return func(r Round) float64 { return r.accepted(run) }
}

func delivered(run string) func(Round) float64 {
	return func(r Round) float64 { return r.delivered(run) }
}

func acceptP99(run string) func(Round) float64 {
	return func(r Round) float64 {
		return r.value(run, func(b bench.Result) float64 { return positive(b.Accept.P99) })
	}
}

func endToEnd(run string, percentile float64) func(Round) float64 {
	return func(r Round) float64 {
		return r.value(run, func(b bench.Result) float64 { return positive(b.EndToEnd.At(percentile)) })
	}
}

func longestPause(run string) func(Round) float64 {
	return func(r Round) float64 {
		return r.value(run, func(b bench.Result) float64 { return inMillis(b.LongestPause) })
	}
}

// floors is the sum of the latencies of what is on the path: storing the event, taking it, delivering it.
func floors(percentile float64) func(Round) float64 {
	return func(r Round) float64 {
		at := func(run string) float64 {
			return r.value(run, func(b bench.Result) float64 { return b.Accept.At(percentile) })
		}
		return at("f2b-slow") + positive(r.Stream.Latency.At(percentile)) + at("f1-slow")
	}
}

func offered(b bench.Result) float64 { return b.Options.Load.Rate }

func inMillis(d time.Duration) float64 {
	if d == 0 {
		return math.NaN()
	}
	return float64(d) / float64(time.Millisecond)
}
