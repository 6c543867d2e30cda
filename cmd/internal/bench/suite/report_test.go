package suite

import (
	"flag"
	"math"
	"os"
	"strings"
	"testing"
	"time"

	"golang.org/x/tools/benchmark/parse"

	"github.com/eventing-jetstream/eventing-jetstream/cmd/internal/bench"
	"github.com/eventing-jetstream/eventing-jetstream/cmd/internal/bench/floor"
	"github.com/eventing-jetstream/eventing-jetstream/cmd/internal/bench/ledger"
	"github.com/eventing-jetstream/eventing-jetstream/cmd/internal/latency"
)

var update = flag.Bool("update", false, "write the golden files")

// madeUp is a round with every run in it, whose figures grow from run to run.
func madeUp(scale float64) Round {
	r := Round{
		Runs: map[string]bench.Result{}, Failed: map[string]string{}, Idle: map[int][]bench.ProcessUse{},
		Stream: floor.StreamResult{PublishedPerSecond: 90_000 * scale, ConsumedPerSecond: 140_000 * scale, Latency: madeUpLatency(1)},
	}
	for i, run := range runs() {
		n, grows := float64(i+1), time.Duration(i+1)
		var result bench.Result
		result.Tally = ledger.Tally{Accepted: 1000, Expected: 1000, Delivered: 1000}
		result.AcceptedPerSecond, result.DeliveredPerSecond = scale*1000*n, scale*900*n
		result.Accept, result.EndToEnd = madeUpLatency(n), madeUpLatency(2*n)
		result.Drain, result.LongestPause = grows*1e6, grows*1e6 // milliseconds
		result.Options.Load.Rate = 1000
		for _, name := range []string{bench.ProcessLoad, bench.ProcessNATS, bench.ProcessIngress, bench.ProcessFloor, bench.ProcessFilter} {
			result.Processes = append(result.Processes, bench.ProcessUse{Name: name, CPUPerEvent: grows * 1e4, Peak: 30 << 20})
		}
		use := make([]bench.SampleUse, len(result.Processes))
		for p := range use {
			use[p].Resident = 20 << 20
		}
		result.Timeline = []bench.Sample{{Settled: 1, Usage: use}, {Settled: 900, Usage: use}}
		r.Runs[run.name] = result
	}
	for _, triggers := range idles() {
		for _, name := range []string{bench.ProcessNATS, bench.ProcessIngress, bench.ProcessFilter} {
			r.Idle[triggers] = append(r.Idle[triggers], bench.ProcessUse{Name: name, Resident: int64(20<<20 + triggers*10<<10)})
		}
	}
	return r
}

func madeUpLatency(ms float64) latency.Summary {
	return latency.Summary{Count: 1, Mean: ms, P50: ms, P90: 2 * ms, P99: 3 * ms, P999: 4 * ms, P9999: 5 * ms, Max: 6 * ms}
}

func madeUpReport() Report {
	return Report{
		At:     time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC),
		Config: Config{Rounds: 2, Duration: 10 * time.Second, Warmup: 2 * time.Second, Backlog: 200_000},
		Environment: Environment{
			CPU: "Test", CPUs: 2, Memory: 16 << 30, Kernel: "Linux 7.0", Versions: []Version{{"Go", "go1.26"}}, Commit: "abc",
		},
		Rounds: []Round{madeUp(1), madeUp(1.25)},
		Filters: []FilterCost{{
			Filter: "exact", Ours: parse.Benchmark{NsPerOp: 30}, Upstream: parse.Benchmark{NsPerOp: 250, AllocsPerOp: 4},
		}},
	}
}

// A target that names a run that does not exist would stay unmeasured for ever.
func TestEveryTargetIsMeasured(t *testing.T) {
	for _, v := range madeUpReport().Verdicts() {
		if v.Met == unmeasured {
			t.Errorf("%s, %s: not measured", v.ID, v.What)
		}
	}
}

func TestFailedRunsLeaveNoFigures(t *testing.T) {
	r := madeUp(1)
	r.Failed["p1"] = "accepted events are lost"
	report := Report{Rounds: []Round{r}}
	for _, v := range report.Verdicts() {
		if v.ID == "P1" && v.Met != unmeasured {
			t.Errorf("%s: %s", v.What, v.Met)
		}
	}
	var page strings.Builder
	if err := Markdown(&page, report); err != nil || !strings.Contains(page.String(), "round 1, p1: accepted events are lost") {
		t.Errorf("error %v; the page does not tell of the failure", err)
	}
}

// The options of every run are valid once the runs that they depend on are there.
func TestEveryRunIsValid(t *testing.T) {
	c := Config{Rounds: 1, Duration: 10 * time.Second, Warmup: 2 * time.Second, Backlog: 200_000}
	r := madeUp(1)
	r.backlog = c.Backlog
	for _, run := range runs() {
		o := c.usual()
		run.set(&o, r)
		if err := o.Validate(); err != nil {
			t.Errorf("%s: %v", run.name, err)
		}
	}
}

func TestARunWhoseRateIsNotKnownIsNotMade(t *testing.T) {
	for _, run := range runs() {
		o := Config{Duration: time.Second}.usual()
		run.set(&o, Round{backlog: 1})
		if err := o.Validate(); math.IsNaN(o.Load.Rate) && err == nil {
			t.Errorf("%s is valid without a rate", run.name)
		}
	}
}

func TestPage(t *testing.T) {
	var page strings.Builder
	if err := Markdown(&page, madeUpReport()); err != nil {
		t.Fatal(err)
	}
	golden(t, "testdata/benchmarks.md", page.String())
	svg, err := SVG(madeUpReport())
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "testdata/benchmarks.svg", svg)
}

func golden(t *testing.T, file, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s differs (go test -update writes it anew); got:\n%s", file, got)
	}
}

func TestFilterCostsComeInPairs(t *testing.T) {
	set, err := parse.ParseSet(strings.NewReader(`goos: linux
BenchmarkMatch/exact/ours-2         	42006782	        29.6 ns/op	       0 B/op	       0 allocs/op
BenchmarkMatch/exact/upstream-2     	 4799001	       250 ns/op	      80 B/op	       4 allocs/op
BenchmarkMatch/cesql/ours-2         	  600000	      2103 ns/op	     900 B/op	      18 allocs/op
BenchmarkMatch/cesql/upstream-2     	 2000000	       593 ns/op	     300 B/op	       6 allocs/op
BenchmarkOther-2                    	 2000000	       593 ns/op
`))
	if err != nil {
		t.Fatal(err)
	}
	got := pairs(set)
	if len(got) != 2 || got[0].Filter != "exact" || got[1].Filter != "cesql" {
		t.Fatalf("%+v", got)
	}
	if got[0].Ours.NsPerOp != 29.6 || got[0].Upstream.AllocsPerOp != 4 || got[1].Ours.AllocsPerOp != 18 {
		t.Errorf("%+v", got)
	}
}
