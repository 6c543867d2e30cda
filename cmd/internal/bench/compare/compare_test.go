package compare

import (
	"math"
	"strings"
	"testing"

	"github.com/eventing-jetstream/eventing-jetstream/cmd/internal/bench"
	"github.com/eventing-jetstream/eventing-jetstream/cmd/internal/bench/suite"
)

// figures are a round's: the row's and its floor's; a floor of 0 is none.
type figures struct{ got, floor float64 }

// made is a row of such figures.
func made(less bool) suite.Target {
	read := func(name string) func(suite.Round) float64 {
		return func(r suite.Round) float64 {
			if v := r.Runs[name].AcceptedPerSecond; v != 0 {
				return v
			}
			return math.NaN()
		}
	}
	return suite.Target{ID: "P0", What: "made up", Unit: "/s", Most: less, Got: read("got"), Floor: read("floor")}
}

func (f figures) round() suite.Round {
	return suite.Round{Runs: map[string]bench.Result{"got": {AcceptedPerSecond: f.got}, "floor": {AcceptedPerSecond: f.floor}}}
}

// times are rounds in which the new version's figure is the old one's times the ratio, on a floor that is the same.
func times(ratios ...float64) (rounds []Round) {
	for _, ratio := range ratios {
		rounds = append(rounds, Round{Old: figures{1000, 2000}.round(), New: figures{1000 * ratio, 2000}.round()})
	}
	return rounds
}

func repeated(n int, ratio float64) []float64 {
	var all []float64
	for range n {
		all = append(all, ratio)
	}
	return all
}

func TestVerdicts(t *testing.T) {
	onFloors := func(floors ...float64) (rounds []Round) {
		for _, f := range floors {
			rounds = append(rounds, Round{Old: figures{1000, 2000}.round(), New: figures{900, 2000 * f}.round()})
		}
		return rounds
	}
	for _, test := range []struct {
		name   string
		less   bool
		rounds []Round
		want   Verdict
		below  int
	}{
		{"ten of ten below", false, times(repeated(10, 0.9)...), Worse, 10},
		{"nine of ten below", false, times(append(repeated(9, 0.9), 1.1)...), Worse, 9},
		{"eight of ten below", false, times(append(repeated(8, 0.9), 1.1, 1.1)...), NotWorse, 8},
		{"ten of ten a little below", false, times(repeated(10, 0.96)...), NotWorse, 10},
		{"better", false, times(repeated(10, 1.3)...), NotWorse, 0},
		{"the same", false, times(repeated(10, 1)...), NotWorse, 0},
		{"eighteen of twenty below", false, times(append(repeated(18, 0.9), 1.1, 1.1)...), Worse, 18},
		{"seventeen of twenty below", false, times(append(repeated(17, 0.9), 1.1, 1.1, 1.1)...), NotWorse, 17},
		{"four of five below", false, times(append(repeated(4, 0.9), 1.1)...), NotWorse, 4},
		{"one round", false, times(0.9), Worse, 1},
		{"less is better, and it is more", true, times(repeated(10, 1.2)...), Worse, 10},
		{"less is better, and it is less", true, times(repeated(10, 0.5)...), NotWorse, 0},
		{"the floor spreads over 20 %", false, onFloors(1, 1, 1, 1, 1, 1, 1, 1, 1, 1.2), Worse, 10},
		{"the floor spreads over more", false, onFloors(1, 1, 1, 1, 1, 1, 1, 1, 0.9, 1.1), NotJudged, 10},
		{"the floor is another one, but as steady", false, onFloors(repeated(10, 2)...), Worse, 10},
		{"the floor is not measured", false, onFloors(0, 0), NotJudged, 2},
		{"no figure of the new version", false, times(0, 0), NotMeasured, 0},
		{"no round", false, nil, NotMeasured, 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			row := Rows([]suite.Target{made(test.less)}, test.rounds)[0]
			if row.Verdict != test.want || row.Below != test.below {
				t.Errorf("%q with %d below 1, want %q with %d: %+v", row.Verdict, row.Below, test.want, test.below, row)
			}
		})
	}
}

func TestRowsWithoutAFloorAreJudgedAndThoseWithoutATargetAreNot(t *testing.T) {
	alone, reported := made(false), made(false)
	alone.Floor, reported.Floor, reported.Reported = nil, nil, true
	rows := Rows([]suite.Target{alone, reported}, times(repeated(10, 0.5)...))
	if rows[0].Verdict != Worse || rows[1].Verdict != Reported || !math.IsNaN(rows[0].Share) {
		t.Errorf("%+v", rows)
	}
}

// A round in which one version failed says nothing of the other.
func TestRoundsCountWhereBothVersionsHaveTheFigure(t *testing.T) {
	row := Rows([]suite.Target{made(false)}, times(0.8, 0, 0.9, 1.3))[0]
	if row.Rounds != 3 || row.Below != 2 || row.Ratio != 0.9 || row.Old != 1000 || row.New != 900 {
		t.Errorf("%+v", row)
	}
}

func TestTheShareOfTheFloorIsTakenRoundByRound(t *testing.T) {
	row := Rows([]suite.Target{made(false)}, []Round{
		{Old: figures{1000, 2000}.round(), New: figures{500, 1000}.round()},
		{Old: figures{1000, 2000}.round(), New: figures{1000, 2000}.round()},
	})[0]
	if row.Share != 1 || row.Ratio != 0.75 || row.FloorSpread != 1 || row.Verdict != NotJudged {
		t.Errorf("%+v", row)
	}
}

func TestTable(t *testing.T) {
	row := made(false)
	row.Wanted = ">= 0.5 x its floor"
	text := Table(Rows([]suite.Target{row}, times(append(repeated(9, 0.9), 1.1)...)))
	for _, want := range []string{"P0", "made up, >= 0.5 x its floor", "1000 /s", "900 /s", "0.90", "9 of 10", "0 %", "WORSE"} {
		if !strings.Contains(text, want) {
			t.Errorf("the table lacks %q:\n%s", want, text)
		}
	}
}

func TestFailuresNameRoundVersionAndRun(t *testing.T) {
	failed := suite.Round{Failed: map[string]string{"p6": "accepted events are lost"}}
	got := Failures([]Round{{}, {New: failed}})
	if len(got) != 1 || got[0] != "round 2, new, p6: accepted events are lost" {
		t.Errorf("%q", got)
	}
}
