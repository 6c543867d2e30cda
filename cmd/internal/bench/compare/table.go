package compare

import (
	"fmt"
	"math"
	"strings"

	"github.com/jedib0t/go-pretty/v6/table"
)

// Table shows the rows to people.
func Table(rows []Row) string {
	t := table.NewWriter()
	t.SetStyle(table.StyleLight)
	t.Style().Options = table.OptionsNoBordersAndSeparators
	t.AppendHeader(table.Row{"Row", "What", "Old", "New", "Ratio", "Below 1", "Of the floor", "Floor spreads", "Verdict"})
	for _, r := range rows {
		what := r.What
		if r.Target.Floor != nil {
			what += ", " + r.Wanted
		}
		t.AppendRow(table.Row{
			r.ID, what, figure(r.Old, r.Unit), figure(r.New, r.Unit), ratio(r.Ratio), fmt.Sprintf("%d of %d", r.Below, r.Rounds),
			ratio(r.Share), percent(r.FloorSpread), r.Verdict,
		})
	}
	return t.Render()
}

// Failures are the runs that failed, by round and version.
func Failures(rounds []Round) (failures []string) {
	for n, r := range rounds {
		for _, failure := range r.Old.Failures() {
			failures = append(failures, fmt.Sprintf("round %d, old, %s", n+1, failure))
		}
		for _, failure := range r.New.Failures() {
			failures = append(failures, fmt.Sprintf("round %d, new, %s", n+1, failure))
		}
	}
	return failures
}

func figure(f float64, unit string) string {
	switch {
	case math.IsNaN(f):
		return "-"
	case math.Abs(f) >= 100:
		return strings.TrimSpace(fmt.Sprintf("%.0f %s", f, unit))
	}
	return strings.TrimSpace(fmt.Sprintf("%.3g %s", f, unit))
}

func ratio(f float64) string {
	if math.IsNaN(f) {
		return "-"
	}
	return fmt.Sprintf("%.2f", f)
}

func percent(f float64) string {
	if math.IsNaN(f) {
		return "-"
	}
	return fmt.Sprintf("%.0f %%", 100*f)
}
