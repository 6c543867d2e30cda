package main

import (
	"fmt"
	"io"
	"os/signal"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/eventing-jetstream/eventing-jetstream/cmd/internal/display"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/compile"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/dispatch"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/event"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/filter"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/replay"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/tail"
)

// tailFlags say which events are shown, and how.
type tailFlags struct {
	routes    routeOptions
	namespace string
	slice     replay.Slice
	from      string
	output    string
}

func newTailCommand() *cobra.Command {
	f := tailFlags{}
	cmd := &cobra.Command{
		Use:   "tail broker|channel|trigger|subscription NAME",
		Short: "Show events as they are stored, until interrupted",
		Long: `Show events as they are stored, until interrupted: those of a Broker or Channel, or those that match the filter of a Trigger.
It changes nothing: nobody's place in the log, and not what the log keeps. What was delivered and removed before it could be shown is counted;
the annotation ` + compile.HistoryAnnotation + ` of the Broker keeps events for longer.`,
		Example: `  kn-jetstream tail broker default --type order.created
  kn-jetstream tail trigger orders --from 1h --filter "total > 100" -o json`,
		Args: cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error { return f.run(cmd, args) },
	}
	f.routes.register(cmd)
	flags := cmd.Flags()
	flags.StringVarP(&f.namespace, "namespace", "n", "default", "namespace of the resource")
	flags.StringVar(&f.from, "from", "", "begin with what was stored since a `time` (RFC 3339), or so long ago, such as 2h (default: now)")
	flags.StringArrayVar(&f.slice.Types, "type", nil, "of this `type`; may be given more than once")
	flags.StringVar(&f.slice.Filter, "filter", "", "for which this CESQL `expression` is true")
	flags.StringVarP(&f.output, "output", "o", "", "json for lines of structured CloudEvents")
	return cmd
}

// complete reads the arguments and flags. Its errors name them.
func (f *tailFlags) complete(args []string) (of named, err error) {
	if of, err = askedFor(args[0], f.namespace, args[1]); err != nil {
		return of, err
	}
	if f.slice.From, err = momentOf(f.from, time.Now()); err != nil {
		return of, fmt.Errorf("--from: %w", err)
	}
	if f.slice.Filter != "" {
		if err := filter.CheckCESQL(f.slice.Filter); err != nil {
			return of, fmt.Errorf("--filter: %w", err)
		}
	}
	if f.output != "" && f.output != "json" {
		return of, fmt.Errorf("--output is %q; it is json or not given", f.output)
	}
	return of, nil
}

func (f *tailFlags) run(cmd *cobra.Command, args []string) error {
	of, err := f.complete(args)
	if err != nil {
		return badInput(err)
	}
	ctx, stop := signal.NotifyContext(cmd.Context(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	client, err := f.routes.client(ctx, "kn-jetstream tail")
	if err != nil {
		return err
	}
	defer client.Close()
	found, err := of.find(ctx, client)
	if err != nil {
		return err
	}
	t, err := tail.Open(ctx, client, found, f.slice)
	if err != nil {
		return fmt.Errorf("%s: %w", of, err)
	}
	fmt.Fprintf(cmd.ErrOrStderr(), "Showing events of %s; interrupt to end.\n", of)
	return t.Run(ctx, shownEvents{out: cmd.OutOrStdout(), errs: cmd.ErrOrStderr(), json: f.output == "json"})
}

// shownEvents is tail.Viewer.
type shownEvents struct {
	out, errs io.Writer
	json      bool
}

func (s shownEvents) Show(w dispatch.Work) error {
	if s.json {
		_, err := s.out.Write(append(event.StructuredLine(w.Event), '\n'))
		return err
	}
	title := fmt.Sprintf("event at sequence %d, stored %s", w.Sequence, w.Stored.Format(time.RFC3339Nano))
	_, err := io.WriteString(s.out, display.Text(title, w.Event, shownData))
	return err
}

func (s shownEvents) Missed(events uint64) {
	fmt.Fprintf(s.errs, "%d events were removed from the log before they could be shown.\n", events)
}
