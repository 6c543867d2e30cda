// Command filter carries events from JetStream to the subscribers of Triggers. Any number of these processes may run; they
// share the work, and take their routes from NATS.
package main

import (
	"context"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"github.com/eventing-jetstream/eventing-jetstream/cmd/internal/dataplane"
	"github.com/eventing-jetstream/eventing-jetstream/cmd/internal/exitcode"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/route"
)

func main() {
	if err := newCommand().ExecuteContext(context.Background()); err != nil {
		fmt.Fprintln(os.Stderr, "filter:", err)
		os.Exit(exitcode.Of(err))
	}
}

func newCommand() *cobra.Command {
	o := dataplane.ProcessFlags{}
	cmd := &cobra.Command{
		Use:           "filter --nats URL",
		Short:         "Deliver events from NATS JetStream to the subscribers of Triggers",
		Args:          cobra.NoArgs,
		SilenceUsage:  true,
		SilenceErrors: true,
		RunE:          exitcode.Failing(func(cmd *cobra.Command, _ []string) error { return serve(cmd.Context(), o) }),
	}
	o.Register(cmd)
	return cmd
}

func serve(ctx context.Context, o dataplane.ProcessFlags) error {
	ctx, stop := dataplane.SignalContext(ctx)
	defer stop()
	p, err := dataplane.NewProcess(ctx, "filter", o)
	if err != nil {
		return err
	}
	defer p.Close(ctx)
	filter, err := dataplane.NewFilter(dataplane.FilterConfig{
		Client: p.Client, Logger: p.Logger, Meter: p.Meter,
		Started: func(s route.Snapshot) { p.Logger.Info("filter delivers events", "triggers", len(s.Targets)) },
	})
	if err != nil {
		return err
	}
	return p.Run(ctx, filter)
}
