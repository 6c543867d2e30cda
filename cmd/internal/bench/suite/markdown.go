package suite

import (
	"fmt"
	"io"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/jedib0t/go-pretty/v6/table"

	"github.com/eventing-jetstream/eventing-jetstream/cmd/internal/bench"
)

// Plot is the file beside the page that its plot is in.
const Plot = "benchmarks.svg"

// Markdown writes the page for docs. It is generated: what it says of the method is in this file.
func Markdown(out io.Writer, r Report) error {
	var page strings.Builder
	fmt.Fprintf(&page, head, r.Config.Rounds, r.Config.Duration, r.Config.Warmup, r.Config.Backlog)
	for _, part := range []struct{ title, text string }{
		{"The machine", r.machine().RenderMarkdown()},
		{"The targets", targetsText + r.targets().RenderMarkdown() + "\n\n![how near each figure comes to its target](" + Plot + ")"},
		{"The floors", floorsText + r.floors().RenderMarkdown()},
		{"All runs", runsText + r.runs().RenderMarkdown()},
		{"Memory when nothing is sent", r.memory().RenderMarkdown()},
		{"Filters", filtersText + r.filters().RenderMarkdown()},
	} {
		fmt.Fprintf(&page, "\n## %s\n\n%s\n", part.title, part.text)
	}
	if failures := r.Failures(); len(failures) > 0 {
		page.WriteString("\n## Runs that failed\n\n```\n" + strings.Join(failures, "\n") + "\n```\n")
	}
	_, err := io.WriteString(out, page.String())
	return err
}

func newTable(header ...any) table.Writer {
	t := table.NewWriter()
	t.AppendHeader(header)
	return t
}

func (r Report) machine() table.Writer {
	t := newTable("What", "")
	t.AppendRow(table.Row{"date", r.At.UTC().Format(time.DateTime) + " UTC"})
	t.AppendRow(table.Row{"CPU", fmt.Sprintf("%d x %s", r.Environment.CPUs, r.Environment.CPU)})
	t.AppendRow(table.Row{"memory", fmt.Sprintf("%.1f GB", float64(r.Environment.Memory)/(1<<30))})
	t.AppendRow(table.Row{"kernel", r.Environment.Kernel})
	for _, v := range r.Environment.Versions {
		t.AppendRow(table.Row{v.Name, v.Version})
	}
	t.AppendRow(table.Row{"commit", r.Environment.Commit})
	return t
}

func (r Report) targets() table.Writer {
	t := newTable("#", "What", "Measured", "Floor", "Measured / floor", "Target", "Met")
	for _, v := range r.Verdicts() {
		t.AppendRow(table.Row{v.ID, v.What, v.Got.text(v.Unit), v.Floor.text(v.Unit), v.Ratio.text(""), v.Wanted, v.Met})
	}
	return t
}

func (r Report) floors() table.Writer {
	t := newTable("Floor", "What", "Per second")
	for _, f := range []struct {
		name, what string
		of         func(Round) float64
	}{
		{"F1", "net/http server that answers 202", Round.f1},
		{"F2a", "F1 and a synchronous PublishMsg", Round.f2a},
		{"F2b", "F1 and the product's own publisher", Round.f2b},
		{"F4", "JetStream consume with explicit ack, no HTTP", Round.f4},
		{"F5", "async publish, no HTTP", Round.f5},
		{"F6", "F3, an HTTP-to-HTTP proxy, with a subscriber of 10 ms and 100 connections", Round.f6},
		{"S(1)", "1 / (1/F2b + 1/F4 + 1/F1)", func(r Round) float64 { return r.s(1) }},
		{"S(10)", "1 / (0.1/F2b + 1/F4 + 1/F1)", func(r Round) float64 { return r.s(10) }},
	} {
		t.AppendRow(table.Row{f.name, f.what, spread(r.Rounds, f.of).text(perSecond)})
	}
	return t
}

func (r Report) runs() table.Writer {
	t := newTable("Run", "What", "In, /s", "Delivered, /s", "To the answer p50 / p99 / p99.9, ms", "To the subscriber p50 / p99 / p99.9, ms",
		"CPU per event, us: NATS / ingress or floor / filter", "Peak memory, MB: NATS / ingress or floor / filter", "Lost", "Twice")
	for _, run := range runs() {
		of := func(f func(bench.Result) float64) string {
			return short(spread(r.Rounds, func(round Round) float64 { return round.value(run.name, f) }).Median)
		}
		percentiles := func(end bool) string {
			var texts []string
			for _, p := range []float64{50, 99, 99.9} {
				texts = append(texts, of(func(b bench.Result) float64 {
					if end {
						return positive(b.EndToEnd.At(p))
					}
					return positive(b.Accept.At(p))
				}))
			}
			return strings.Join(texts, " / ")
		}
		t.AppendRow(table.Row{
			run.name, run.what, of(func(b bench.Result) float64 { return b.AcceptedPerSecond }),
			of(func(b bench.Result) float64 { return positive(b.DeliveredPerSecond) }), percentiles(false), percentiles(true),
			byProcess(of, func(p bench.ProcessUse) float64 { return float64(p.CPUPerEvent) / float64(time.Microsecond) }),
			byProcess(of, func(p bench.ProcessUse) float64 { return float64(p.Peak) / (1 << 20) }),
			of(func(b bench.Result) float64 { return float64(b.Lost) }), of(func(b bench.Result) float64 { return float64(b.Duplicates) }),
		})
	}
	return t
}

// byProcess is a figure of each of the processes of a run.
func byProcess(of func(func(bench.Result) float64) string, figure func(bench.ProcessUse) float64) string {
	var texts []string
	for _, names := range [][]string{{bench.ProcessNATS}, {bench.ProcessIngress, bench.ProcessFloor}, {bench.ProcessFilter}} {
		texts = append(texts, of(func(b bench.Result) float64 {
			for _, name := range names {
				if p := b.Process(name); p.Name != "" {
					return figure(p)
				}
			}
			return math.NaN()
		}))
	}
	return strings.Join(texts, " / ")
}

func (r Report) memory() table.Writer {
	t := newTable("Triggers", "NATS, MB", "Ingress, MB", "Filter, MB")
	for _, n := range idles() {
		row := table.Row{n}
		for _, name := range []string{bench.ProcessNATS, bench.ProcessIngress, bench.ProcessFilter} {
			row = append(row, spread(r.Rounds, func(r Round) float64 { return r.resident(name, n) / (1 << 20) }).text(""))
		}
		t.AppendRow(row)
	}
	return t
}

func (r Report) filters() table.Writer {
	t := newTable("Filter", "Ours, ns", "Upstream's, ns", "Ours, allocations", "Upstream's, allocations")
	for _, f := range r.Filters {
		t.AppendRow(table.Row{f.Filter, short(f.Ours.NsPerOp), short(f.Upstream.NsPerOp), f.Ours.AllocsPerOp, f.Upstream.AllocsPerOp})
	}
	return t
}

// text is the median, with the least and the most when they differ.
func (s Spread) text(unit string) string {
	if s.Rounds == 0 {
		return ""
	}
	text, least, most := short(s.Median)+unitText(unit), short(s.Min), short(s.Max)
	if least != most {
		text += " (" + least + " to " + most + ")"
	}
	return text
}

func unitText(unit string) string {
	if unit == "" || unit == perSecond {
		return unit
	}
	return " " + unit
}

// short rounds to three digits, and not before the point.
func short(f float64) string {
	switch {
	case math.IsNaN(f):
		return "-"
	case f == 0 || math.Abs(f) >= 100:
		return strconv.FormatFloat(f, 'f', 0, 64)
	case math.Abs(f) >= 10:
		return strconv.FormatFloat(f, 'f', 1, 64)
	default:
		return strconv.FormatFloat(f, 'f', 2, 64)
	}
}

func itoa(n int) string { return strconv.Itoa(n) }

func sortedKeys(m map[string]string) []string { return slices.Sorted(maps.Keys(m)) }
