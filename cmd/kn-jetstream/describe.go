package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/describe"
)

func newDescribeCommand() *cobra.Command {
	o := describeOptions{}
	cmd := &cobra.Command{
		Use:   "describe broker|channel|trigger|subscription NAME",
		Short: "Show all that is known of a Broker, Channel, Trigger or Subscription",
		Long: `Show all that is known of a Broker, Channel, Trigger or Subscription: whether it is ready, and why not, whether it is paused, its numbers, its
settings, its streams and consumers in NATS, what belongs to it, and its last failures. The numbers are those of kn-jetstream get.

FROM says where a setting comes from, as far as its route tells: an annotation, the spec of a cluster's Channel, the ConfigMap of a cluster's Broker,
a handle, which is what kn-jetstream pause writes into NATS, or the default. LIMIT is in bytes. PENDING messages were not read yet, UNACKNOWLEDGED ones were.`,
		Example: `  kn-jetstream describe broker default
  kn-jetstream describe trigger orders -n shop -o yaml`,
		Args: cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error { return o.run(cmd, args) },
	}
	o.routes.register(cmd)
	cmd.Flags().StringVarP(&o.namespace, "namespace", "n", "default", "namespace of the one that is named")
	cmd.Flags().StringVarP(&o.output, "output", "o", "", "json or yaml for the whole of it")
	return cmd
}

type describeOptions struct {
	routes            routeOptions
	namespace, output string
}

func (o *describeOptions) run(cmd *cobra.Command, args []string) error {
	of, err := askedFor(args[0], o.namespace, args[1])
	if err != nil {
		return badInput(err)
	}
	if err := checkOutput(o.output, "json", "yaml"); err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(cmd.Context(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	client, err := o.routes.client(ctx, "kn-jetstream describe")
	if err != nil {
		return err
	}
	defer client.Close()
	ctx, cancel := context.WithTimeout(ctx, getBudget)
	defer cancel()
	d, silent, err := describe.Read(ctx, client, of.route())
	if err != nil {
		return fmt.Errorf("%s: %w", of, err)
	}
	saySilent(cmd.ErrOrStderr(), silent)
	if o.output != "" {
		return encode(cmd.OutOrStdout(), o.output, d)
	}
	page{out: cmd.OutOrStdout(), now: time.Now()}.show(d)
	return nil
}
