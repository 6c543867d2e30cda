package main

import (
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/eventing-jetstream/eventing-jetstream/cmd/internal/bench/compare"
	"github.com/eventing-jetstream/eventing-jetstream/cmd/internal/bench/suite"
)

// compareFlags are the flags of `bench compare`.
type compareFlags struct {
	older, newer, out string
	only              []string
	rounds            int
	duration          time.Duration
}

// errWorse means that a row is worse than it was.
var errWorse = errors.New("worse than before")

func newBenchCompareCommand() *cobra.Command {
	f := compareFlags{}
	cmd := &cobra.Command{
		Use:   "compare --old PROGRAM --new PROGRAM",
		Short: "Measure two versions in turns, and say which rows of the suite are worse in the new one",
		Long: `Measure two versions in turns, round by round, and say which rows of the suite are worse in the new one: those whose median ratio, new to
old, is below 0.95 with at least nine of ten rounds below 1. Of figures of which less is better, the ratio is old to new. A row whose floor
changed between the two versions by ratios that spread over more than 20 % is not judged: that was the machine. When a row is worse, or a run of
the new version failed, the exit code is 1.`,
		Example: "  kn-jetstream bench compare --old before/kn-jetstream --new after/kn-jetstream --only P6,P14",
		Args:    cobra.NoArgs,
		RunE:    func(cmd *cobra.Command, _ []string) error { return f.run(cmd) },
	}
	flags := cmd.Flags()
	flags.StringVar(&f.older, "old", "", "`program` kn-jetstream of the version to compare with; its ingress and filter are beside it")
	flags.StringVar(&f.newer, "new", "", "`program` kn-jetstream of the version to judge, likewise")
	flags.StringSliceVar(&f.only, "only", nil, "rows to compare, P1 to P17 (default: all)")
	flags.IntVar(&f.rounds, "rounds", 10, "rounds, each with one suite of both versions")
	flags.DurationVar(&f.duration, "duration", 3*time.Second, "how long each run sends")
	flags.StringVar(&f.out, "out", "", "`folder` for the suites' results (default: none is kept)")
	return cmd
}

func (f *compareFlags) run(cmd *cobra.Command) error {
	targets, runs, err := f.check()
	if err != nil {
		return badInput(err)
	}
	if f.out == "" {
		if f.out, err = os.MkdirTemp("", "bench-compare-"); err != nil {
			return err
		}
		defer func() { _ = os.RemoveAll(f.out) }()
	}
	ctx, stop := signal.NotifyContext(cmd.Context(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	out := cmd.OutOrStdout()
	var rounds []compare.Round
	for n := range f.rounds {
		round, err := f.round(ctx, out, round{number: n + 1, runs: runs})
		if err != nil {
			return err
		}
		rounds = append(rounds, round)
	}
	rows := compare.Rows(targets, rounds)
	fmt.Fprintln(out, compare.Table(rows))
	for _, failure := range compare.Failures(rounds) {
		fmt.Fprintln(out, failure)
	}
	return judgement(rows, rounds)
}

// judgement is errWorse when a row is worse, or the new version did not get through a run.
func judgement(rows []compare.Row, rounds []compare.Round) error {
	worse := 0
	for _, row := range rows {
		if row.Verdict == compare.Worse {
			worse++
		}
	}
	failed := 0
	for _, round := range rounds {
		failed += len(round.New.Failures())
	}
	if worse+failed > 0 {
		return fmt.Errorf("%w: %d rows, and %d runs of the new version failed", errWorse, worse, failed)
	}
	return nil
}

// check names the first flag that is wrong.
func (f *compareFlags) check() ([]suite.Target, []string, error) {
	for flag, program := range map[string]string{"--old": f.older, "--new": f.newer} {
		if info, err := os.Stat(program); err != nil || info.IsDir() {
			return nil, nil, fmt.Errorf("%s %q is not a program", flag, program)
		}
	}
	if f.rounds < 1 {
		return nil, nil, errors.New("--rounds must be at least 1")
	}
	if f.duration <= 0 {
		return nil, nil, errors.New("--duration must be positive")
	}
	targets, runs, err := suite.Rows(f.only)
	if err != nil {
		return nil, nil, fmt.Errorf("--only: %w", err)
	}
	return targets, runs, nil
}
