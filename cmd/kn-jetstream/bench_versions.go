package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/eventing-jetstream/eventing-jetstream/cmd/internal/bench/compare"
	"github.com/eventing-jetstream/eventing-jetstream/cmd/internal/bench/suite"
)

// interruptBudget is how long a suite that is interrupted may take to end its processes.
const interruptBudget = 30 * time.Second

// round is one round that is to be measured.
type round struct {
	number int
	runs   []string
}

// round measures both versions, in every other round the new one first: what grows warmer or fuller in between favours neither.
func (f *compareFlags) round(ctx context.Context, out io.Writer, what round) (compare.Round, error) {
	began := time.Now()
	var both compare.Round
	versions := []struct {
		name, program string
		found         *suite.Round
	}{{"old", f.older, &both.Old}, {"new", f.newer, &both.New}}
	if what.number%2 == 0 {
		slices.Reverse(versions)
	}
	for _, v := range versions {
		found, err := f.suite(ctx, v.program, filepath.Join(f.out, fmt.Sprintf("%03d-%s", what.number, v.name)), what.runs)
		if err != nil {
			return both, fmt.Errorf("round %d, %s: %w", what.number, v.name, err)
		}
		*v.found = found
	}
	fmt.Fprintf(out, "%s  round %d of %d took %s\n", time.Now().Format(time.TimeOnly), what.number, f.rounds, time.Since(began).Round(time.Second))
	return both, nil
}

// suite has a version measure itself, once. A run that failed is in the round that is returned, and is no error.
func (f *compareFlags) suite(ctx context.Context, program, folder string, runs []string) (suite.Round, error) {
	command := exec.CommandContext(ctx, program, "bench", "suite", "--rounds", "1", "--duration", f.duration.String(),
		"--only", strings.Join(runs, ","), "--out", folder) //nolint:gosec // the program that the user names
	var output bytes.Buffer
	command.Stdout, command.Stderr = &output, &output
	command.Cancel, command.WaitDelay = func() error { return command.Process.Signal(os.Interrupt) }, interruptBudget
	failure := command.Run()
	var report suite.Report
	text, err := os.ReadFile(filepath.Join(folder, "benchmarks.json"))
	if err == nil {
		err = json.Unmarshal(text, &report)
	}
	if err == nil && len(report.Rounds) == 1 && ctx.Err() == nil {
		return report.Rounds[0], nil
	}
	return suite.Round{}, fmt.Errorf("%w\n%s", errors.Join(ctx.Err(), failure, err), output.String())
}
