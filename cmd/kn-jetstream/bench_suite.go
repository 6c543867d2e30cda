package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/eventing-jetstream/eventing-jetstream/cmd/internal/bench/suite"
)

// suiteFlags are the flags of `bench suite`.
type suiteFlags struct {
	benchFlags
	config              suite.Config
	out, source, commit string
}

func newBenchSuiteCommand() *cobra.Command {
	f := suiteFlags{}
	cmd := &cobra.Command{
		Use:   "suite",
		Short: "Measure everything that the project has a target for, beside its floors, and write the page of it",
		Args:  cobra.NoArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return f.run(cmd) },
	}
	flags := cmd.Flags()
	flags.IntVar(&f.config.Rounds, "rounds", 5, "rounds")
	flags.DurationVar(&f.config.Duration, "duration", 10*time.Second, "how long each run sends")
	flags.DurationVar(&f.config.Warmup, "warmup", 0, "time at the beginning of each run that is not measured (default: a fifth of --duration)")
	flags.IntVar(&f.config.Backlog, "backlog", 200_000, "events that are drained")
	flags.DurationVar(&f.config.Settle, "settle", 10*time.Second, "how long processes are idle before their memory is read")
	flags.StringSliceVar(&f.config.Only, "only", nil, "names of the runs to make, and stream and idle (default: all)")
	flags.StringVar(&f.out, "out", ".", "`folder` for benchmarks.md, benchmarks.json and "+suite.Plot)
	flags.StringVar(&f.source, "source", "", "`folder` of the project's source, to measure its filters in; none leaves them out")
	flags.StringVar(&f.commit, "commit", "", "commit that is measured, for the page")
	flags.StringVar(&f.config.Profile, "profile", "", "write CPU profiles into folders in this `folder`, one for each run; they cost a little")
	f.registerPrograms(cmd)
	return cmd
}

func (f *suiteFlags) run(cmd *cobra.Command) error {
	if f.config.Warmup == 0 {
		f.config.Warmup = f.config.Duration / 5
	}
	if err := errors.Join(f.config.Validate(), f.findSystem()); err != nil {
		return badInput(err)
	}
	if err := os.MkdirAll(f.out, 0o755); err != nil { //nolint:gosec // for everybody to read
		return badInput(err)
	}
	ctx, stop := signal.NotifyContext(cmd.Context(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	f.config.System = f.options.System
	report := suite.Report{At: time.Now(), Config: f.config, Environment: suite.ReadEnvironment(f.commit)}
	var err error
	if f.source != "" {
		if report.Filters, err = suite.MeasureFilters(ctx, f.source); err != nil {
			return err
		}
	}
	for n := range f.config.Rounds {
		round, err := f.round(ctx, cmd, n+1)
		if err != nil {
			return err // an interrupted round says nothing
		}
		report.Rounds = append(report.Rounds, round)
		if err := f.write(report); err != nil { // after each round: what is measured is not lost
			return err
		}
	}
	if failures := report.Failures(); len(failures) > 0 {
		return fmt.Errorf("runs failed:\n%s", strings.Join(failures, "\n"))
	}
	return nil
}

func (f *suiteFlags) round(ctx context.Context, cmd *cobra.Command, n int) (suite.Round, error) {
	bar := newBenchBar(cmd.ErrOrStderr(), fmt.Sprintf("round %d of %d, ", n, f.config.Rounds))
	defer bar.finish()
	f.config.Progress = bar.show
	f.config.Say = func(line string) {
		bar.finish()
		fmt.Fprintf(cmd.OutOrStdout(), "%s  %d/%d  %s\n", time.Now().Format(time.TimeOnly), n, f.config.Rounds, line)
	}
	return f.config.Round(ctx)
}

// write writes the page, its figures and its plot.
func (f *suiteFlags) write(r suite.Report) error {
	figures, err := json.MarshalIndent(r, "", " ")
	if err != nil {
		return err
	}
	svg, err := suite.SVG(r)
	if err != nil {
		return err
	}
	var page strings.Builder
	if err := suite.Markdown(&page, r); err != nil {
		return err
	}
	for name, content := range map[string]string{"benchmarks.json": string(figures) + "\n", suite.Plot: svg, "benchmarks.md": page.String()} {
		if err := os.WriteFile(filepath.Join(f.out, name), []byte(content), 0o644); err != nil { //nolint:gosec // for everybody to read
			return err
		}
	}
	return nil
}
