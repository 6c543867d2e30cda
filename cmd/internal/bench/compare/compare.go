// Package compare judges whether one version of the product is slower than another, from rounds in which both were measured.
package compare

import (
	"math"
	"slices"

	"github.com/eventing-jetstream/eventing-jetstream/cmd/internal/bench/suite"
)

const (
	// worseBelow is the median ratio below which a row can be worse, and worseShare the share of the rounds that must be below 1 for that.
	worseBelow = 0.95
	worseShare = 0.9
	// floorSpread is how far apart the floor's ratios may be, most over least: what changes more between two measurements of the
	// same floor is the machine.
	floorSpread = 0.20
)

// Verdict is what a comparison makes of a row.
type Verdict string

// The verdicts.
const (
	NotWorse Verdict = "not worse"
	Worse    Verdict = "WORSE"
	// NotJudged is a row whose floor was not the same for both versions.
	NotJudged Verdict = "not judged"
	// Reported is a row that has no target.
	Reported Verdict = "reported"
	// NotMeasured is a row that no round has figures of both versions for.
	NotMeasured Verdict = "not measured"
)

// Round is what one round has found of both versions.
type Round struct{ Old, New suite.Round }

// Row is a figure in all rounds.
type Row struct {
	suite.Target
	// Old and New are the medians.
	Old, New float64
	// Ratio is the median of new to old, and Share that of the shares of the floor. More than 1 is better, of figures of which less
	// is better too.
	Ratio, Share float64
	// Rounds is in how many rounds both versions have the figure, Below in how many of these the ratio is below 1.
	Rounds, Below int
	// FloorSpread is the most of the ratios of the floor, new to old, over the least, minus 1; not a number without a floor.
	FloorSpread float64
	Verdict     Verdict
}

// Rows compares the rows by all rounds.
func Rows(targets []suite.Target, rounds []Round) []Row {
	var rows []Row
	for _, t := range targets {
		rows = append(rows, compare(t, rounds))
	}
	return rows
}

func compare(t suite.Target, rounds []Round) Row {
	var olds, news, ratios, shares, floors []float64
	for _, r := range rounds {
		before, after := t.Got(r.Old), t.Got(r.New)
		ratio := quotient(after, before, t.Most)
		if !measured(ratio) {
			continue
		}
		olds, news, ratios = append(olds, before), append(news, after), append(ratios, ratio)
		if t.Floor == nil {
			continue
		}
		if floor := quotient(t.Floor(r.New), t.Floor(r.Old), t.Most); measured(floor) {
			floors, shares = append(floors, floor), append(shares, ratio/floor)
		}
	}
	row := Row{Target: t, Old: median(olds), New: median(news), Ratio: median(ratios), Share: median(shares), Rounds: len(ratios), FloorSpread: math.NaN()}
	for _, ratio := range ratios {
		if ratio < 1 {
			row.Below++
		}
	}
	if len(floors) > 0 {
		row.FloorSpread = slices.Max(floors)/slices.Min(floors) - 1
	}
	row.Verdict = row.judge()
	return row
}

func (r Row) judge() Verdict {
	switch {
	case r.Rounds == 0:
		return NotMeasured
	case r.Reported:
		return Reported
	case r.Floor != nil && !(r.FloorSpread <= floorSpread): // not a number is no floor to judge by
		return NotJudged
	case r.Ratio < worseBelow && float64(r.Below) >= worseShare*float64(r.Rounds):
		return Worse
	}
	return NotWorse
}

// quotient is new to old, or, if less is better, old to new.
func quotient(after, before float64, less bool) float64 {
	if after == before {
		return 1 // nothing, twice
	}
	if less {
		return before / after
	}
	return after / before
}

func measured(ratio float64) bool { return ratio > 0 && !math.IsInf(ratio, 0) }

// median is not a number when there are no values.
func median(values []float64) float64 {
	if len(values) == 0 {
		return math.NaN()
	}
	sorted := slices.Sorted(slices.Values(values))
	middle := len(sorted) / 2
	if len(sorted)%2 == 0 {
		return (sorted[middle-1] + sorted[middle]) / 2
	}
	return sorted[middle]
}
