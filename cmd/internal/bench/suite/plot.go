package suite

import (
	"math"

	"github.com/eventing-jetstream/eventing-jetstream/cmd/internal/bench/report"
)

// SVG plots, for each target, how near its figure comes: above 1 it is met.
func SVG(r Report) (string, error) {
	var bars []report.Bar
	for _, t := range targets() {
		nearness := spread(r.Rounds, func(round Round) float64 {
			if t.Most {
				return t.bound(round) / t.Got(round)
			}
			return t.Got(round) / t.bound(round)
		})
		if !t.Reported && !math.IsNaN(nearness.Median) {
			bars = append(bars, report.Bar{
				Label: t.ID + " " + t.What, Value: min(nearness.Median, mostNear), Text: short(nearness.Median),
				Bad: judge(t, r.Rounds).Met == missed,
			})
		}
	}
	return report.BarPlot{Title: "How near each figure comes to its target: at the line and beyond it is met", Bars: bars, Mark: 1}.SVG()
}

// mostNear keeps a figure that is far beyond its target from making all others small.
const mostNear = 2
