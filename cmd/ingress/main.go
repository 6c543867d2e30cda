// Command ingress takes CloudEvents over HTTP and answers 202 when JetStream has stored them. Any number of these processes
// may run; they take their routes from NATS.
package main

import (
	"context"
	"fmt"
	"net"
	"os"

	"github.com/oklog/run"
	"github.com/spf13/cobra"

	"github.com/eventing-jetstream/eventing-jetstream/cmd/internal/dataplane"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/ingress"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/route"
)

type options struct {
	dataplane.ProcessFlags
	listen, url string
	bounds      dataplane.IngressFlags
}

func main() {
	if err := newCommand().ExecuteContext(context.Background()); err != nil {
		fmt.Fprintln(os.Stderr, "ingress:", err)
		os.Exit(1)
	}
}

func newCommand() *cobra.Command {
	o := options{}
	cmd := &cobra.Command{
		Use:           "ingress --nats URL",
		Short:         "Take CloudEvents over HTTP into NATS JetStream",
		Args:          cobra.NoArgs,
		SilenceUsage:  true,
		SilenceErrors: true,
		RunE:          func(cmd *cobra.Command, _ []string) error { return serve(cmd.Context(), o) },
	}
	flags := cmd.Flags()
	flags.StringVar(&o.listen, "listen", ":8080", "`address` to take events on")
	flags.StringVar(&o.url, "url", "", "URL at which clients reach this ingress, for kn-jetstream get")
	o.bounds.Register(flags)
	o.Register(cmd)
	return cmd
}

func serve(ctx context.Context, o options) error {
	ctx, stop := dataplane.SignalContext(ctx)
	defer stop()
	logger := dataplane.Logger(o.JSONLogs)
	if err := o.bounds.Validate(); err != nil {
		return err
	}
	url, err := dataplane.PublicURL(o.url)
	if err != nil {
		return err
	}
	natsOptions, err := o.NATS.Options("ingress", logger)
	if err != nil {
		return err
	}
	client, err := jetstream.Connect(natsOptions)
	if err != nil {
		return err
	}
	defer client.Close()
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", o.listen)
	if err != nil {
		return err
	}
	in := dataplane.NewIngress(dataplane.IngressConfig{
		Client: client, URL: url, MaxEventBytes: o.bounds.MaxEventBytes, MaxInFlight: o.bounds.MaxInFlight, Logger: logger,
		Started: func(s route.Snapshot) {
			logger.Info("ingress takes events", "listen", listener.Addr().String(), "brokers", len(s.Addresses))
		},
	})
	server := ingress.Server(in, 0)

	var group run.Group
	frame := dataplane.Frame{Part: in, Client: client, Logger: logger, Probes: o.Probes}
	if err := frame.Add(ctx, &group); err != nil {
		return err
	}
	group.Add(func() error { return server.Serve(listener) }, func(error) {
		drain, cancel := context.WithTimeout(context.WithoutCancel(ctx), o.Drain)
		defer cancel()
		if err := server.Shutdown(drain); err != nil {
			_ = server.Close()
		}
	})
	return group.Run()
}
