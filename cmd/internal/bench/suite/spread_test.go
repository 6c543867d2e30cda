package suite

import (
	"math"
	"testing"
)

// figures are rounds in which F5 and F4 stand for a figure and its floor.
func figures(pairs ...[2]float64) []Round {
	var rounds []Round
	for _, p := range pairs {
		var r Round
		r.Stream.PublishedPerSecond, r.Stream.ConsumedPerSecond = p[0], p[1]
		rounds = append(rounds, r)
	}
	return rounds
}

func TestJudge(t *testing.T) {
	least := Target{Got: Round.f5, Floor: Round.f4, Factor: 0.9}
	most := Target{Got: Round.f5, Floor: Round.f4, Factor: 1.2, Most: true}
	for _, test := range []struct {
		name   string
		target Target
		rounds []Round
		want   string
		ratio  float64
	}{
		{"enough", least, figures([2]float64{90, 100}), met, 0.9},
		{"too little", least, figures([2]float64{89, 100}), missed, 0.89},
		{"the median counts", least, figures([2]float64{10, 100}, [2]float64{95, 100}, [2]float64{95, 100}), met, 0.95},
		{"round by round", least, figures([2]float64{91, 100}, [2]float64{910, 1000}, [2]float64{9.1, 10}), met, 0.91},
		{"little enough", most, figures([2]float64{120, 100}), met, 1.2},
		{"too much", most, figures([2]float64{121, 100}), missed, 1.21},
		{"no floor", least, figures([2]float64{121, 0}), unmeasured, math.NaN()},
		{"no figure", least, figures([2]float64{0, 100}), unmeasured, math.NaN()},
		{"no floor is wanted", Target{Got: Round.f5, Plus: 30, Most: true}, figures([2]float64{29, 0}), met, math.NaN()},
		{"nothing is wanted", Target{Got: Round.f5, Reported: true}, figures([2]float64{29, 0}), "", math.NaN()},
	} {
		v := judge(test.target, test.rounds)
		if v.Met != test.want {
			t.Errorf("%s: %q, want %q", test.name, v.Met, test.want)
		}
		if v.Ratio.Median != test.ratio && !(math.IsNaN(v.Ratio.Median) && math.IsNaN(test.ratio)) {
			t.Errorf("%s: ratio %v, want %v", test.name, v.Ratio.Median, test.ratio)
		}
	}
}

func TestSpread(t *testing.T) {
	got := spread(figures([2]float64{4, 1}, [2]float64{1, 1}, [2]float64{0, 1}, [2]float64{3, 1}, [2]float64{2, 1}), Round.f5)
	if want := (Spread{Median: 2.5, Min: 1, Max: 4, Rounds: 4}); got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
}
