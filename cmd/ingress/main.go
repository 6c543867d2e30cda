// Command ingress takes CloudEvents over HTTP and answers 202 when JetStream has stored them. Any number of these processes
// may run; they take their routes from NATS.
package main

import (
	"context"
	"fmt"
	"net"
	"os"

	"github.com/spf13/cobra"

	"github.com/eventing-jetstream/eventing-jetstream/cmd/internal/daemon"
	"github.com/eventing-jetstream/eventing-jetstream/cmd/internal/dataplane"
	"github.com/eventing-jetstream/eventing-jetstream/cmd/internal/exitcode"
	"github.com/eventing-jetstream/eventing-jetstream/cmd/internal/memory"
	"github.com/eventing-jetstream/eventing-jetstream/cmd/internal/version"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/route"
)

type options struct {
	daemon.Flags
	listen, url string
	bounds      dataplane.IngressFlags
}

func main() {
	if err := newCommand().ExecuteContext(context.Background()); err != nil {
		fmt.Fprintln(os.Stderr, "ingress:", err)
		os.Exit(exitcode.Of(err))
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
		RunE:          exitcode.Failing(func(cmd *cobra.Command, _ []string) error { return serve(cmd.Context(), o) }),
	}
	flags := cmd.Flags()
	flags.StringVar(&o.listen, "listen", ":8080", "`address` to take events on")
	flags.StringVar(&o.url, "url", "", "URL at which clients reach this ingress, for kn-jetstream get")
	flags.DurationVar(&o.DrainDelay, "drain-delay", 0,
		"how long to go on taking events, no longer ready, after a signal to stop: until a load balancer has seen it")
	o.bounds.Register(flags)
	o.Register(cmd)
	version.Register(cmd)
	return cmd
}

func serve(ctx context.Context, o options) error {
	ctx, stop := daemon.SignalContext(ctx)
	defer stop()
	if err := o.bounds.Validate(); err != nil {
		return exitcode.Wrong(err)
	}
	url, err := dataplane.PublicURL(o.url)
	if err != nil {
		return exitcode.Wrong(err)
	}
	p, err := daemon.New(ctx, "ingress", o.Flags)
	if err != nil {
		return err
	}
	defer p.Close(ctx)
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", o.listen)
	if err != nil {
		return err
	}
	defer listener.Close()
	in, err := dataplane.NewIngress(dataplane.IngressConfig{
		Client: p.Client, URL: url, Budget: memory.Budget(), MaxEventBytes: o.bounds.MaxEventBytes, MaxInFlight: o.bounds.MaxInFlight,
		Logger: p.Logger, Meter: p.Meter,
		Started: func(s route.Snapshot) {
			brokers, _ := s.Count(route.KindBroker)
			channels, _ := s.Count(route.KindChannel)
			p.Logger.Info("ingress takes events", "listen", listener.Addr().String(), "brokers", brokers, "channels", channels)
		},
	})
	if err != nil {
		return err
	}
	return p.Run(ctx, dataplane.NewServer(in, listener))
}
