package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"os/signal"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/compile"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/filter"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/replay"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/route"
)

// replayFlags say which events are replayed, and how.
type replayFlags struct {
	routes            routeOptions
	of                named
	slice             replay.Slice
	from, to          string
	rate              float64
	all, dryRun       bool
	resume, startOver bool
}

func newReplayCommand() *cobra.Command {
	f := replayFlags{}
	cmd := &cobra.Command{
		Use:   "replay [trigger|subscription] NAME (--all | --resume | SELECTION)",
		Short: "Deliver events of the log once more, to one Trigger or Subscription and to no other",
		Long: `Deliver events of the log once more, to one Trigger or Subscription and to no other: those that match its own filter, and were stored
before the command began. What comes meanwhile is delivered as ever. A replayed event has the extension attribute ` + replay.Attribute + `, which says when
the replay began.
A log keeps what is not delivered yet, and with the annotation ` + compile.HistoryAnnotation + ` of its Broker what was;
where it lacks earlier events, the command says from when on it has any.
A replay goes at the pace of the subscriber. It can be interrupted: --resume goes on where it stood.`,
		Example: `  kn-jetstream replay orders --from 2026-01-31T12:00:00Z --to 2026-01-31T13:00:00Z --dry-run
  kn-jetstream replay orders --from 2h --type order.created --rate 50
  kn-jetstream replay orders --resume`,
		Args: cobra.RangeArgs(1, 2),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := f.complete(args); err != nil {
				return badInput(err)
			}
			return runReplay(cmd, f)
		},
	}
	f.register(cmd)
	return cmd
}

func (f *replayFlags) register(cmd *cobra.Command) {
	f.routes.register(cmd)
	flags := cmd.Flags()
	flags.StringVarP(&f.of.namespace, "namespace", "n", "default", "namespace of the Trigger or Subscription")
	flags.StringVar(&f.from, "from", "", "stored since a `time` (RFC 3339), or so long ago, such as 2h")
	flags.StringVar(&f.to, "to", "", "stored before a `time` (RFC 3339), or so long ago")
	flags.StringArrayVar(&f.slice.Types, "type", nil, "of this `type`; may be given more than once")
	flags.StringVar(&f.slice.Filter, "filter", "", "for which this CESQL `expression` is true")
	flags.BoolVar(&f.all, "all", false, "all that the log has")
	flags.BoolVar(&f.dryRun, "dry-run", false, "only count")
	flags.Float64Var(&f.rate, "rate", 0, "so many `events` a second at most; 0 is as fast as the subscriber takes them")
	flags.BoolVar(&f.resume, "resume", false, "go on with the replay that was begun and not finished")
	flags.BoolVar(&f.startOver, "new", false, "forget a replay that was begun and not finished")
	for _, other := range []string{"from", "to", "type", "filter", "all", "new", "dry-run"} {
		cmd.MarkFlagsMutuallyExclusive("resume", other)
	}
	for _, other := range []string{"from", "to", "type", "filter"} {
		cmd.MarkFlagsMutuallyExclusive("all", other)
	}
}

// complete reads the arguments and flags. Its errors name them.
func (f *replayFlags) complete(args []string) (err error) {
	kind, name := "trigger", args[0]
	if len(args) > 1 {
		kind, name = args[0], args[1]
	}
	if f.of, err = askedFor(kind, f.of.namespace, name); err != nil {
		return err
	}
	if f.of.kind != "trigger" && f.of.kind != "subscription" {
		return fmt.Errorf("events are replayed to a trigger or a subscription, not to a %s", f.of.kind)
	}
	now := time.Now()
	if f.slice.From, err = momentOf(f.from, now); err != nil {
		return fmt.Errorf("--from: %w", err)
	}
	if f.slice.To, err = momentOf(f.to, now); err != nil {
		return fmt.Errorf("--to: %w", err)
	}
	if f.slice.Filter != "" {
		if err := filter.CheckCESQL(f.slice.Filter); err != nil {
			return fmt.Errorf("--filter: %w", err)
		}
	}
	switch {
	case !f.slice.To.IsZero() && !f.slice.From.Before(f.slice.To):
		return errors.New("--to must be later than --from")
	case f.rate < 0 || math.IsNaN(f.rate) || math.IsInf(f.rate, 0):
		return fmt.Errorf("--rate is %g; it must be a number that is not negative", f.rate)
	case !f.all && !f.resume && f.slice.IsEverything():
		return errors.New("say which events are meant, by a flag such as --from, or --all")
	}
	return nil
}

func runReplay(cmd *cobra.Command, f replayFlags) error {
	ctx, stop := signal.NotifyContext(cmd.Context(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	client, err := f.routes.client(ctx, "kn-jetstream replay")
	if err != nil {
		return err
	}
	defer client.Close()
	r, err := f.begin(ctx, client)
	if err != nil {
		return fmt.Errorf("%s: %w", f.of, err)
	}
	if r.History.Lacks {
		fmt.Fprintln(cmd.ErrOrStderr(), lacking(r.History))
	}
	if f.dryRun {
		return countReplay(ctx, cmd.OutOrStdout(), r)
	}
	bar := newProgress(cmd.ErrOrStderr(), "replaying", int(r.Last-r.Next+1)) //nolint:gosec // no log has as many
	at := r.Next
	err = r.Run(ctx, f.rate, func(now replay.Record) { bar.add(int(now.Next - at)); at = now.Next }) //nolint:gosec // see above
	bar.finish()
	if err != nil {
		return fmt.Errorf("%d events are replayed to %s, and not all that are meant; --resume goes on: %w", r.Replayed, f.of, err)
	}
	fmt.Fprintf(cmd.OutOrStdout(), "%d events replayed to %s\n", r.Replayed, f.of)
	return nil
}

// begin finds the replay to go on with, or a new one. A dry run notes nothing.
func (f *replayFlags) begin(ctx context.Context, client *jetstream.Client) (*replay.Replay, error) {
	of := replay.Of{Kind: route.KindBroker, Namespace: f.of.namespace, Name: f.of.name}
	if f.of.kind == "subscription" {
		of.Kind = route.KindChannel
	}
	if f.resume {
		return replay.Resume(ctx, client, of)
	}
	r, err := replay.Look(ctx, client, of, f.slice)
	if err != nil || f.dryRun {
		return r, err
	}
	err = r.Begin(ctx, f.startOver)
	if errors.Is(err, replay.ErrUnfinished) {
		err = fmt.Errorf("%w; --resume goes on with it, --new forgets it", err)
	}
	return r, err
}

func lacking(h replay.History) string {
	if h.From.IsZero() {
		return "The log has no events: what was delivered is removed, unless the annotation " + compile.HistoryAnnotation + " keeps it."
	}
	return fmt.Sprintf("The log has events since %s only: what was delivered is removed, unless the annotation %s keeps it.",
		h.From.Format(time.RFC3339Nano), compile.HistoryAnnotation)
}

func countReplay(ctx context.Context, out io.Writer, r *replay.Replay) error {
	count, first, last, err := r.Count(ctx)
	if err != nil {
		return err
	}
	stored := ""
	if count > 0 {
		stored = fmt.Sprintf(", stored from %s to %s", first.Format(time.RFC3339Nano), last.Format(time.RFC3339Nano))
	}
	fmt.Fprintf(out, "%d events would be replayed%s\n", count, stored)
	return nil
}
