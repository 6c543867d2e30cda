package suite

// The words of the page.
const (
	head = `# Benchmarks

Written by ` + "`make bench`" + `, not by hand; the figures are also in [benchmarks.json](benchmarks.json). %d rounds, each with every run below,
one after the other, so that a run and its floor see the same machine. A run sends for %s, of which the first %s are not measured
(the drain of %d stored events apart). Everything is on one machine: the sender, the subscribers, nats-server, ingress and filter,
each a process of its own.

Events are binary CloudEvents with 1 KB of JSON unless it says otherwise; the log is a stream in files, one replica, with NATS's
defaults. Rates are of closed loops: 64 connections that wait for their answers, and no more than 2,000 deliveries between sender
and subscribers. Latencies are of open loops, and count from when an event was due, not from when it could be sent. Every event is
accounted for by its id at the receiver: a run that lost one is a failed run, and its figures are left out. CPU and memory are the
operating system's figures for the process.

To judge a change, ` + "`" + `make bench-compare BASE=<commit> ONLY=P6,P14` + "`" + ` measures that commit and the present one in turns, ten rounds, and compares
round by round. A row is worse when the median of the ratios, new to old, is below 0.95 and nine of ten rounds are below 1; of latencies, CPU and
memory the ratio is old to new. A row whose floor's ratio spreads over more than 20 %% is not judged: that was the machine. Floors have the
product's version too: the publisher in F2b, and P6 where it is the floor, are those of the commit.

What the controllers take, with many Triggers and Brokers, is in [scale.md](scale.md).
`
	targetsText = `A figure is the median of all rounds, with the least and the most; so is the ratio, taken round by round. S(n) is
1 / ((1/n)/F2b + 1/F4 + 1/F1): what n Triggers for every event could get each second if nothing but the floors cost anything.

In P11 the floors' latencies are added up: F2b's and F1's to their answers, F4's from publish to arrival, all at 500/s, percentile by
percentile. In P12 each of ten Triggers has an event type of its own, and all events together come at a quarter of P6's rate. In P17 CPU is that
of all processes, the sender's included, at a quarter of P6's rate; the log is trimmed every 4 MB where it says so, and the longest pause is the
longest time without an arrival, which a stop of the trim is part of.

`
	floorsText = "The smallest programs that do a part of the work, with the same connections, events and stream settings, and\n" +
		"the same setting of Go's garbage collector (GOGC=400).\n\n"
	runsText = "Medians. Rates of open loops are what was offered. CPU is that of each process for one accepted event; a drain's, for one delivered.\n\n"

	filtersText = `What deciding about one event costs (` + "`go test -bench Match ./pkg/filter`" + `). Upstream's filters get an event that is read already.

`
)
