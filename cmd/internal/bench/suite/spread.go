package suite

import (
	"math"
	"slices"
)

// Spread is a figure over all rounds.
type Spread struct {
	Median, Min, Max float64
	// Rounds is in how many rounds it was measured.
	Rounds int
}

// spread leaves out rounds in which the figure is not a number.
func spread(rounds []Round, of func(Round) float64) Spread {
	var values []float64
	for _, r := range rounds {
		if v := of(r); !math.IsNaN(v) && !math.IsInf(v, 0) {
			values = append(values, v)
		}
	}
	if len(values) == 0 {
		return Spread{Median: math.NaN(), Min: math.NaN(), Max: math.NaN()}
	}
	slices.Sort(values)
	middle := len(values) / 2
	median := values[middle]
	if len(values)%2 == 0 {
		median = (values[middle-1] + values[middle]) / 2
	}
	return Spread{Median: median, Min: values[0], Max: values[len(values)-1], Rounds: len(values)}
}

// Verdict is what the rounds make of a target.
type Verdict struct {
	Target
	Got, Floor Spread
	// Ratio is the figure over its floor, round by round; Met compares, likewise, with the bound.
	Ratio Spread
	Met   string
}

// Answers of a Verdict.
const (
	met        = "yes"
	missed     = "**no**"
	unmeasured = "not measured"
)

func judge(t Target, rounds []Round) Verdict {
	v := Verdict{Target: t, Got: spread(rounds, t.Got), Floor: spread(nil, nil), Ratio: spread(nil, nil)}
	if t.Floor != nil {
		v.Floor = spread(rounds, t.Floor)
		v.Ratio = spread(rounds, func(r Round) float64 { return t.Got(r) / t.Floor(r) })
	}
	// How far beyond the bound; a difference, because a bound may be 0.
	beyond := spread(rounds, func(r Round) float64 { return t.Got(r) - t.bound(r) })
	switch {
	case v.Got.Rounds == 0 || (!t.Reported && beyond.Rounds == 0):
		v.Met = unmeasured
	case t.Reported:
		v.Met = ""
	case t.Most && beyond.Median <= 0, !t.Most && beyond.Median >= 0:
		v.Met = met
	default:
		v.Met = missed
	}
	return v
}
