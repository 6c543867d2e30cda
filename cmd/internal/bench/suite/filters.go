package suite

import (
	"bytes"
	"context"
	"fmt"
	"os/exec"
	"slices"
	"strings"

	"golang.org/x/tools/benchmark/parse"
)

// FilterCost is what one filter costs for one event, ours beside upstream's on the same event.
type FilterCost struct {
	Filter         string
	Ours, Upstream parse.Benchmark
}

// filterBenchmark is in pkg/filter; its cases are NAME/ours and NAME/upstream.
const filterBenchmark = "BenchmarkMatch"

// MeasureFilters runs the micro-benchmark of the filters, in the project's source.
func MeasureFilters(ctx context.Context, source string) ([]FilterCost, error) {
	command := exec.CommandContext(ctx, "go", "test", "-run", "^$", "-bench", "^"+filterBenchmark+"$", "-benchmem", "./pkg/filter")
	command.Dir = source
	output, err := command.CombinedOutput()
	if err != nil {
		return nil, fmt.Errorf("%s: %w\n%s", command, err, output)
	}
	set, err := parse.ParseSet(bytes.NewReader(output))
	if err != nil {
		return nil, err
	}
	return pairs(set), nil
}

// pairs brings ours and upstream's together, in the order in which they ran.
func pairs(set parse.Set) []FilterCost {
	var costs []FilterCost
	var order []int
	byName := map[string]int{}
	for name, results := range set {
		// BenchmarkMatch/attributes/ours-2
		parts := strings.Split(name, "/")
		if len(parts) != 3 || parts[0] != filterBenchmark {
			continue
		}
		place, known := byName[parts[1]]
		if !known {
			place = len(costs)
			byName[parts[1]] = place
			costs, order = append(costs, FilterCost{Filter: parts[1]}), append(order, results[0].Ord)
		}
		if who, _, _ := strings.Cut(parts[2], "-"); who == "ours" {
			costs[place].Ours = *results[0]
		} else {
			costs[place].Upstream = *results[0]
		}
		order[place] = min(order[place], results[0].Ord)
	}
	slices.SortFunc(costs, func(a, b FilterCost) int { return order[byName[a.Filter]] - order[byName[b.Filter]] })
	return costs
}
