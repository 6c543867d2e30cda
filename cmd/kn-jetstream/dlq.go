package main

import (
	"context"
	"fmt"
	"io"
	"maps"
	"os/signal"
	"slices"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/letters"
)

func newDLQCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "dlq",
		Short: "Show, retry, drop or export dead letters: events that were given up and had no dead letter sink",
		Example: `  kn-jetstream dlq list
  kn-jetstream dlq retry --target orders --since 1h
  kn-jetstream dlq export > letters.jsonl`,
		Args: cobra.NoArgs, // else a command that does not exist would be one that succeeds
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newDLQListCommand(), newDLQShowCommand(), newDLQRetryCommand(), newDLQDropCommand(), newDLQExportCommand())
	return cmd
}

// listLimit is how many letters dlq list shows unless it is asked for more.
const listLimit = 100

// runDLQ connects, and does so with the selected letters until that is done or interrupted.
func runDLQ(cmd *cobra.Command, f *letterFlags, do func(context.Context, *jetstream.Client, letters.Selection) error) error {
	s, err := f.selection(cmd)
	if err != nil {
		return badInput(err)
	}
	ctx, stop := signal.NotifyContext(cmd.Context(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	client, err := f.routes.client(ctx, "kn-jetstream dlq "+cmd.Name())
	if err != nil {
		return err
	}
	defer client.Close()
	return do(ctx, client, s)
}

func newDLQListCommand() *cobra.Command {
	f := letterFlags{}
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List dead letters, the oldest of each Broker or Channel first",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return runDLQ(cmd, &f, func(ctx context.Context, c *jetstream.Client, s letters.Selection) error {
				found, more, err := letters.List(ctx, c, s)
				if err != nil {
					return err
				}
				if more {
					defer fmt.Fprintf(cmd.ErrOrStderr(), "There are more than %d; --limit 0 lists all.\n", s.Limit)
				}
				return listLetters(cmd.OutOrStdout(), found, f.output)
			})
		},
	}
	f.register(cmd)
	f.registerID(cmd)
	f.registerLimit(cmd, listLimit)
	f.registerOutput(cmd)
	return cmd
}

func newDLQShowCommand() *cobra.Command {
	f := letterFlags{}
	cmd := &cobra.Command{
		Use:   "show ID",
		Short: "Show the dead letters of the event with this id, with the event and its last failure",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return runDLQ(cmd, &f, func(ctx context.Context, c *jetstream.Client, s letters.Selection) error {
				s.ID = args[0]
				found, _, err := letters.List(ctx, c, s)
				if err == nil && len(found) == 0 {
					err = fmt.Errorf("there is no dead letter of an event with the id %q", s.ID)
				}
				if err != nil {
					return err
				}
				return showLetters(cmd.OutOrStdout(), found, f.output)
			})
		},
	}
	f.register(cmd)
	f.registerOutput(cmd)
	return cmd
}

func newDLQRetryCommand() *cobra.Command {
	return newDLQChange(letterChange{letters.Retry, letters.CountRetries, "retried"}, &cobra.Command{
		Use:   "retry (--all | SELECTION)",
		Short: "Deliver dead letters again, each to the Trigger or Subscription that could not get it, and to no other",
		Long: `Deliver dead letters again, each to the Trigger or Subscription that could not get it, and to no other, with all attempts of its delivery.
The event gets the extension attribute ` + letters.RetryCount + `, which counts its retries. A dead letter goes once NATS has stored its copy; interrupt
the command and run it again as often as you like. What fails again is a dead letter again.`,
	})
}

func newDLQDropCommand() *cobra.Command {
	return newDLQChange(letterChange{letters.Drop, letters.CountDrops, "dropped"}, &cobra.Command{
		Use:   "drop (--all | SELECTION)",
		Short: "Remove dead letters for good",
	})
}

// letterChange is what a command does to dead letters, and what it would do.
type letterChange struct {
	do, count func(context.Context, *jetstream.Client, letters.Selection) (letters.Outcome, error)
	done      string
}

// newDLQChange completes the command, which changes letters and says what became of them.
func newDLQChange(change letterChange, cmd *cobra.Command) *cobra.Command {
	f := letterFlags{}
	dryRun := false
	cmd.Args = cobra.NoArgs
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		return runDLQ(cmd, &f, func(ctx context.Context, c *jetstream.Client, s letters.Selection) error {
			do, done := change.do, change.done
			if dryRun {
				do, done = change.count, "would be "+change.done
			}
			o, err := do(ctx, c, s)
			sayOutcome(cmd.OutOrStdout(), o, done)
			if err == nil && o.Kept > 0 {
				err = fmt.Errorf("%d dead letters stay", o.Kept)
			}
			return err
		})
	}
	f.register(cmd)
	f.registerID(cmd)
	f.registerLimit(cmd, 0)
	f.registerAll(cmd)
	cmd.Flags().BoolVar(&dryRun, "dry-run", false, "only count")
	return cmd
}

func sayOutcome(out io.Writer, o letters.Outcome, done string) {
	fmt.Fprintf(out, "%d dead letters %s\n", o.Done, done)
	for _, why := range slices.Sorted(maps.Keys(o.Why)) {
		fmt.Fprintf(out, "%d stay: %s\n", o.Why[why], why)
	}
}

func newDLQExportCommand() *cobra.Command {
	f := letterFlags{}
	cmd := &cobra.Command{
		Use:   "export",
		Short: "Print dead letters as JSON lines of CloudEvents, which kn-jetstream send --file takes back",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return runDLQ(cmd, &f, func(ctx context.Context, c *jetstream.Client, s letters.Selection) error {
				exported, err := letters.Export(ctx, c, s, cmd.OutOrStdout())
				fmt.Fprintf(cmd.ErrOrStderr(), "%d dead letters exported\n", exported)
				return err
			})
		},
	}
	f.register(cmd)
	f.registerID(cmd)
	f.registerLimit(cmd, 0)
	return cmd
}
