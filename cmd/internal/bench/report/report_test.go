package report

import (
	"encoding/xml"
	"errors"
	"flag"
	"io"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/eventing-jetstream/eventing-jetstream/cmd/internal/bench"
	"github.com/eventing-jetstream/eventing-jetstream/cmd/internal/bench/ledger"
	"github.com/eventing-jetstream/eventing-jetstream/cmd/internal/bench/workload"
	"github.com/eventing-jetstream/eventing-jetstream/cmd/internal/latency"
)

var update = flag.Bool("update", false, "write the golden files")

func madeUp() bench.Result {
	r := bench.Result{
		At: time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC),
		Options: bench.Options{
			Workload: workload.Workload{Types: 1, FanOut: 1, Filter: workload.FilterNone, Size: 1024, Mode: workload.Binary},
			Load:     bench.Load{Connections: 64},
		},
		Tally:   ledger.Tally{Accepted: 1000, Expected: 1000, Delivered: 990, DeadLettered: 8, Duplicates: 3, Lost: 2},
		Refused: map[int]int{503: 4}, Foreign: 1, AcceptedPerSecond: 500, DeliveredPerSecond: 495,
		Accept:   latency.Summary{Count: 1000, Mean: 1, P50: 1, P90: 2, P99: 3, P999: 4, P9999: 5, Max: 6},
		EndToEnd: latency.Summary{Count: 990, Mean: 2, P50: 2, P90: 4, P99: 6, P999: 8, P9999: 10, Max: 12},
		Processes: []bench.ProcessUse{
			{Name: bench.ProcessIngress, CPU: 30 * time.Millisecond, CPUPerEvent: 30 * time.Microsecond, Peak: 25 << 20},
			{Name: bench.ProcessFilter, CPU: 40 * time.Millisecond, CPUPerEvent: 40 * time.Microsecond, Peak: 30 << 20},
		},
	}
	for n := range 5 {
		r.Timeline = append(r.Timeline, bench.Sample{At: time.Duration(n) * time.Second, Accepted: 250 * n, Settled: 249 * n})
	}
	return r
}

func TestTable(t *testing.T) {
	var out strings.Builder
	if err := Table(&out, madeUp()); err != nil {
		t.Fatal(err)
	}
	golden(t, "testdata/table.txt", out.String())
}

func TestHTML(t *testing.T) {
	var out strings.Builder
	if err := HTML(&out, madeUp()); err != nil {
		t.Fatal(err)
	}
	golden(t, "testdata/report.html", out.String())
	for _, outside := range []string{"src=", "<link", "@import", "<script", "url("} {
		if strings.Contains(out.String(), outside) {
			t.Errorf("the page needs something from elsewhere: %s", outside)
		}
	}
}

// Every plot is well-formed, whatever there is to plot.
func TestPlots(t *testing.T) {
	for name, r := range map[string]bench.Result{"full": madeUp(), "empty": {}} {
		for _, draw := range []func(bench.Result) (string, error){throughput, percentiles, cpu} {
			svg, err := draw(r)
			if err != nil {
				t.Errorf("%s: %v", name, err)
			}
			if (svg == "") != (name == "empty") {
				t.Errorf("%s: plot of %d bytes", name, len(svg))
			}
			for decoder := xml.NewDecoder(strings.NewReader(svg)); ; {
				_, err := decoder.Token()
				if errors.Is(err, io.EOF) {
					break
				}
				if err != nil {
					t.Fatalf("%s: %v", name, err)
				}
			}
		}
	}
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
