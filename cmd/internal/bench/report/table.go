// Package report shows what a benchmark has found: as a table, and as a page of HTML with plots.
package report

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/jedib0t/go-pretty/v6/table"

	"github.com/eventing-jetstream/eventing-jetstream/cmd/internal/bench"
	"github.com/eventing-jetstream/eventing-jetstream/cmd/internal/latency"
)

// Table writes the result for people.
func Table(out io.Writer, r bench.Result) error {
	_, err := fmt.Fprintln(out, strings.Join([]string{accounts(r).Render(), latencies(r).Render(), processes(r).Render()}, "\n\n"))
	return err
}

func newTable(header ...any) table.Writer {
	t := table.NewWriter()
	t.SetStyle(table.StyleLight)
	t.Style().Options = table.OptionsNoBordersAndSeparators
	t.AppendHeader(header)
	return t
}

func accounts(r bench.Result) table.Writer {
	t := newTable("Events", "", "Per second")
	t.AppendRow(table.Row{"accepted", r.Accepted, rate(r.AcceptedPerSecond)})
	refused := 0
	for _, n := range r.Refused {
		refused += n
	}
	if refused > 0 {
		t.AppendRow(table.Row{"refused", refused, fmt.Sprintf("by status: %v", r.Refused)})
	}
	if r.Expected == 0 {
		return t
	}
	t.AppendRow(table.Row{"delivered", r.Delivered, rate(r.DeliveredPerSecond)})
	t.AppendRow(table.Row{"dead letters", r.DeadLettered, ""})
	t.AppendRow(table.Row{"duplicates", r.Duplicates, ""})
	t.AppendRow(table.Row{"lost", r.Lost, ""})
	for _, rare := range []struct {
		name, what string
		n          int
	}{
		{"unexpected", "at a Trigger whose filter does not match", r.Unexpected},
		{"unconfirmed", "delivered, and not accepted", r.Unconfirmed},
		{"misjudged", "dead letters too many, or too few", r.Misjudged},
		{"foreign", "requests to the subscribers, none of this run", r.Foreign},
	} {
		if rare.n > 0 {
			t.AppendRow(table.Row{rare.name, rare.n, rare.what})
		}
	}
	return t
}

func latencies(r bench.Result) table.Writer {
	t := newTable("Latency, ms", "Mean", "p50", "p90", "p99", "p99.9", "p99.99", "Max")
	add := func(name string, s latency.Summary) {
		if s.Count > 0 {
			t.AppendRow(table.Row{name, ms(s.Mean), ms(s.P50), ms(s.P90), ms(s.P99), ms(s.P999), ms(s.P9999), ms(s.Max)})
		}
	}
	add("to the answer", r.Accept)
	add("to the subscriber", r.EndToEnd)
	return t
}

func processes(r bench.Result) table.Writer {
	t := newTable("Process", "CPU, s", "CPU per event, us", "Peak memory, MB")
	for _, p := range r.Processes {
		t.AppendRow(table.Row{
			p.Name, fmt.Sprintf("%.2f", p.CPU.Seconds()), fmt.Sprintf("%.1f", micros(p.CPUPerEvent)), fmt.Sprintf("%.1f", megabytes(p.Peak)),
		})
	}
	return t
}

func rate(perSecond float64) string { return fmt.Sprintf("%.0f", perSecond) }

func ms(milliseconds float64) string { return fmt.Sprintf("%.2f", milliseconds) }

func micros(d time.Duration) float64 { return float64(d) / float64(time.Microsecond) }

func megabytes(bytes int64) float64 { return float64(bytes) / (1 << 20) }
