// Command filter carries events from JetStream to the subscribers of Triggers. Any number of these processes may run; they
// share the work, and take their routes from NATS.
package main

import (
	"context"
	"fmt"
	"os"

	"github.com/oklog/run"
	"github.com/spf13/cobra"

	"github.com/eventing-jetstream/eventing-jetstream/cmd/internal/dataplane"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/route"
)

func main() {
	if err := newCommand().ExecuteContext(context.Background()); err != nil {
		fmt.Fprintln(os.Stderr, "filter:", err)
		os.Exit(1)
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
		RunE:          func(cmd *cobra.Command, _ []string) error { return serve(cmd.Context(), o) },
	}
	o.Register(cmd)
	return cmd
}

func serve(ctx context.Context, o dataplane.ProcessFlags) error {
	ctx, stop := dataplane.SignalContext(ctx)
	defer stop()
	logger := dataplane.Logger(o.JSONLogs)
	natsOptions, err := o.NATS.Options("filter", logger)
	if err != nil {
		return err
	}
	client, err := jetstream.Connect(natsOptions)
	if err != nil {
		return err
	}
	defer client.Close()
	filter, err := dataplane.NewFilter(dataplane.FilterConfig{
		Client: client, Logger: logger,
		Started: func(s route.Snapshot) { logger.Info("filter delivers events", "triggers", len(s.Targets)) },
	})
	if err != nil {
		return err
	}

	var group run.Group
	frame := dataplane.Frame{Part: filter, Client: client, Logger: logger, Probes: o.Probes}
	if err := frame.Add(ctx, &group); err != nil {
		return err
	}
	err = group.Run()
	drain, cancel := context.WithTimeout(context.WithoutCancel(ctx), o.Drain)
	defer cancel()
	filter.Drain(drain)
	return err
}
