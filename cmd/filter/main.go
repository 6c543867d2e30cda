// Command filter carries events from JetStream to the subscribers of Triggers. Any number of these processes may run; they
// share the work, and take their routes from NATS.
package main

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/oklog/run"
	"github.com/spf13/cobra"

	"github.com/eventing-jetstream/eventing-jetstream/cmd/internal/dataplane"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/route"
)

type options struct {
	probes   string
	drain    time.Duration
	jsonLogs bool
	nats     dataplane.NATSFlags
}

func main() {
	if err := newCommand().ExecuteContext(context.Background()); err != nil {
		fmt.Fprintln(os.Stderr, "filter:", err)
		os.Exit(1)
	}
}

func newCommand() *cobra.Command {
	o := options{}
	cmd := &cobra.Command{
		Use:           "filter --nats URL",
		Short:         "Deliver events from NATS JetStream to the subscribers of Triggers",
		Args:          cobra.NoArgs,
		SilenceUsage:  true,
		SilenceErrors: true,
		RunE:          func(cmd *cobra.Command, _ []string) error { return serve(cmd.Context(), o) },
	}
	flags := cmd.Flags()
	flags.StringVar(&o.probes, "probe-listen", "", "`address` that serves /healthz and /readyz")
	flags.DurationVar(&o.drain, "drain", 30*time.Second, "how long deliveries may take to finish after a signal to stop")
	flags.BoolVar(&o.jsonLogs, "json-logs", false, "write the log as JSON")
	o.nats.Register(flags)
	_ = cmd.MarkFlagRequired("nats") // fails for unknown flags only
	return cmd
}

func serve(ctx context.Context, o options) error {
	ctx, stop := dataplane.SignalContext(ctx)
	defer stop()
	logger := dataplane.Logger(o.jsonLogs)
	natsOptions, err := o.nats.Options("filter", logger)
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
	following, stopFollowing := context.WithCancel(context.WithoutCancel(ctx))
	group.Add(func() error {
		if err := dataplane.Await(following, client, logger); err != nil {
			return err
		}
		filter.Run(following)
		return nil
	}, func(error) { stopFollowing() })
	group.Add(func() error { <-ctx.Done(); return nil }, func(error) { stop() })
	if err := dataplane.ServeProbes(ctx, &group, o.probes, filter.Ready); err != nil {
		return err
	}
	err = group.Run()
	drain, cancel := context.WithTimeout(context.WithoutCancel(ctx), o.drain)
	defer cancel()
	filter.Drain(drain)
	return err
}
