package suite

import (
	"maps"
	"slices"
	"testing"

	"github.com/eventing-jetstream/eventing-jetstream/cmd/internal/bench"
	"github.com/eventing-jetstream/eventing-jetstream/cmd/internal/bench/floor"
)

// Without the runs that a row needs a comparison would call it unmeasured, after an hour.
func TestRowsNameTheRunsThatTheyNeed(t *testing.T) {
	for id := range rowRuns() {
		rows, needed, err := Rows([]string{id})
		if err != nil || len(rows) == 0 {
			t.Fatalf("%s: %d rows, %v", id, len(rows), err)
		}
		c := Config{Rounds: 1, Duration: 2, Warmup: 1, Backlog: 1, Only: needed}
		if err := c.Validate(); err != nil {
			t.Errorf("%s: %v", id, err)
		}
		r := onlyRuns(madeUp(1), needed)
		for _, row := range rows {
			if v := judge(row, []Round{r}); v.Met == unmeasured || (row.Floor != nil && v.Floor.Rounds == 0) {
				t.Errorf("%s, %s: not measured by the runs %v", id, row.What, needed)
			}
		}
		r.backlog = c.Backlog
		for _, run := range runs() {
			o := c.usual()
			if run.set(&o, r); c.wants(run.name) && o.Validate() != nil {
				t.Errorf("%s: the run %s is not made without others: %v", id, run.name, o.Validate())
			}
		}
	}
}

// onlyRuns is the round without what is not in the names.
func onlyRuns(r Round, names []string) Round {
	maps.DeleteFunc(r.Runs, func(name string, _ bench.Result) bool { return !slices.Contains(names, name) })
	if !slices.Contains(names, idleRun) {
		r.Idle = nil
	}
	if !slices.Contains(names, streamRun) {
		r.Stream = floor.StreamResult{}
	}
	return r
}

func TestRowsInAnyCaseAndOrder(t *testing.T) {
	rows, needed, err := Rows([]string{"p14", " P1"})
	var ids []string
	for _, r := range rows {
		ids = append(ids, r.ID)
	}
	if err != nil || !slices.Equal(slices.Compact(ids), []string{"P1", "P14"}) || !slices.Equal(needed, []string{"f1", "f2a", "f2b", "p1", "p14", "stream"}) {
		t.Errorf("rows %v, runs %v, %v", ids, needed, err)
	}
	if all, _, err := Rows(nil); err != nil || len(all) != len(targets()) {
		t.Errorf("%d rows, want all %d; %v", len(all), len(targets()), err)
	}
	if _, _, err := Rows([]string{"p99"}); err == nil {
		t.Error("a row that there is not is taken")
	}
}
