package suite

import (
	"math"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/bench/report"
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
			bars = append(bars, report.Bar{Label: t.ID, Value: min(nearness.Median, mostNear)})
		}
	}
	return report.Bars("figure / target (1 and above is met; cut off at 2)", bars)
}

// mostNear keeps a figure that is far beyond its target from making all others small.
const mostNear = 2
