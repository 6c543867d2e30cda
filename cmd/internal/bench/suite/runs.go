package suite

import (
	"time"

	"github.com/eventing-jetstream/eventing-jetstream/cmd/internal/bench"
	"github.com/eventing-jetstream/eventing-jetstream/cmd/internal/bench/workload"
)

// run is one run of a round: what it has other than usual, which may depend on what the runs before it have found.
type run struct {
	name, what string
	set        func(o *bench.Options, r Round)
}

const (
	kilobyte = 1024
	large    = 64 * kilobyte
	// lowRate is P11's.
	lowRate = 500
	// share of the fastest rate, in P12, P13 and P17.
	share = 0.25
	// smallLog is trimmed whenever a quarter of it can be freed.
	smallLog = 16 << 20
)

// runs are the runs of a round in their order: each beside its floor, so that both see the same machine. Usual are 64 connections in
// a closed loop, binary events of 1 KB, one Trigger without a filter whose subscriber answers at once.
func runs() []run {
	return []run{
		{"f1", "F1, answers 202", func(o *bench.Options, _ Round) { takes(o, bench.FloorAnswer) }},
		{"f2a", "F2a, synchronous publish", func(o *bench.Options, _ Round) { takes(o, bench.FloorPublish) }},
		{"f2b", "F2b, the product's publisher", func(o *bench.Options, _ Round) { takes(o, bench.FloorPublisher) }},
		{"p1", "ingress alone", func(o *bench.Options, _ Round) { takes(o, "") }},
		{"f2b-half", "F2b at half its rate", func(o *bench.Options, r Round) { takes(o, bench.FloorPublisher); o.Load.Rate = r.accepted("f2b") / 2 }},
		{"p3", "ingress at half F2b's rate", func(o *bench.Options, r Round) { takes(o, ""); o.Load.Rate = r.accepted("f2b") / 2 }},
		{"p4-structured", "ingress, structured", func(o *bench.Options, _ Round) { takes(o, ""); o.Workload.Mode = workload.Structured }},
		{"p4-large", "ingress, 64 KB", func(o *bench.Options, _ Round) { takes(o, ""); o.Workload.Size = large }},
		{"p4-structured-large", "ingress, 64 KB structured", func(o *bench.Options, _ Round) {
			takes(o, "")
			o.Workload.Size, o.Workload.Mode = large, workload.Structured
		}},
		{"p5", "ingress, batches of 100", func(o *bench.Options, _ Round) { takes(o, ""); o.Workload.Mode, o.Workload.Batch = workload.Batch, 100 }},
		{"p6", "end to end", func(*bench.Options, Round) {}},
		{"f6", "F6, proxy, subscriber 10 ms", func(o *bench.Options, _ Round) {
			o.Floor, o.Load.Connections, o.Subscriber.Latency = bench.FloorProxy, 100, 10*time.Millisecond
		}},
		{"p7", "end to end, subscriber 10 ms", func(o *bench.Options, _ Round) { o.Subscriber.Latency = 10 * time.Millisecond }},
		{"p8", "10 Triggers for every event", func(o *bench.Options, _ Round) { o.Workload.FanOut = 10 }},
		{"p9", "100 Triggers by type, 1 % each", func(o *bench.Options, _ Round) { chooses(o, 100, workload.FilterType) }},
		{"p10-suffix", "100 Triggers by suffix, 1 % each", func(o *bench.Options, _ Round) { chooses(o, 100, workload.FilterSuffix) }},
		{"p10-cesql", "100 Triggers by CESQL, 1 % each", func(o *bench.Options, _ Round) { chooses(o, 100, workload.FilterCESQL) }},
		{"f1-slow", "F1 at 500/s", func(o *bench.Options, _ Round) { takes(o, bench.FloorAnswer); o.Load.Rate = lowRate }},
		{"f2b-slow", "F2b at 500/s", func(o *bench.Options, _ Round) { takes(o, bench.FloorPublisher); o.Load.Rate = lowRate }},
		{"p11", "end to end at 500/s", func(o *bench.Options, _ Round) { o.Load.Rate = lowRate }},
		{"p12-healthy", "10 Triggers", func(o *bench.Options, r Round) {
			chooses(o, 10, workload.FilterType)
			o.Load.Rate = share * r.delivered("p6")
		}},
		{"p12", "10 Triggers, one always 503", func(o *bench.Options, r Round) {
			chooses(o, 10, workload.FilterType)
			o.Load.Rate, o.Subscriber.Failing = share*r.delivered("p6"), 1
			o.Delivery = workload.Delivery{Retry: 5, Policy: "exponential", Delay: "PT1S"}
		}},
		{"p13", "10 % of requests fail", func(o *bench.Options, r Round) {
			o.Load.Rate, o.Subscriber.FailShare = share*r.delivered("p6"), 0.1
			o.Delivery = workload.Delivery{Retry: 3, Policy: "linear", Delay: "PT0.2S"}
		}},
		{"p14", "drain a backlog", func(o *bench.Options, r Round) { o.Backlog = r.backlog; o.Load.Duration, o.Load.Warmup = 0, 0 }},
		{"p15", "reply chain", func(o *bench.Options, _ Round) { chooses(o, 1, workload.FilterType); o.Workload.Replies = true }},
		{"p17", "one Trigger", func(o *bench.Options, r Round) { idle(o, r, 0) }},
		{"p17-100", "100 idle Triggers beside it", func(o *bench.Options, r Round) { idle(o, r, 100) }},
		{"p17-1000", "1,000 idle Triggers beside it", func(o *bench.Options, r Round) { idle(o, r, 1000) }},
		{"p17-trim", "while the log is trimmed", func(o *bench.Options, r Round) { idle(o, r, 0); o.LogBytes = smallLog }},
		{"p17-1000-trim", "the same with 1,000 idle Triggers", func(o *bench.Options, r Round) { idle(o, r, 1000); o.LogBytes = smallLog }},
	}
}

// takes leaves out the delivery: what takes events is a floor, or, for "", the ingress.
func takes(o *bench.Options, floor string) { o.Floor, o.Workload.FanOut = floor, 0 }

// chooses has one Trigger for each of so many types.
func chooses(o *bench.Options, types int, by workload.Filter) {
	o.Workload.Types, o.Workload.Filter = types, by
}

// idle has so many Triggers for which no event comes, beside the busy one.
func idle(o *bench.Options, r Round, triggers int) {
	o.Workload.Filter, o.Workload.Idle, o.Load.Rate = workload.FilterType, triggers, share*r.delivered("p6")
}

// idles are the numbers of Triggers with which memory is read when nothing is sent.
func idles() []int { return []int{1, 100, 1000} }
