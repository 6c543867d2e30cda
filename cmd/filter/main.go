// Command filter carries events from JetStream to the subscribers of Triggers. Any number of these processes may run; they
// share the work, and take their routes from NATS.
package main

import (
	"context"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"github.com/eventing-jetstream/eventing-jetstream/cmd/internal/daemon"
	"github.com/eventing-jetstream/eventing-jetstream/cmd/internal/dataplane"
	"github.com/eventing-jetstream/eventing-jetstream/cmd/internal/exitcode"
	"github.com/eventing-jetstream/eventing-jetstream/cmd/internal/version"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/requestreply"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/route"
)

func main() {
	if err := newCommand().ExecuteContext(context.Background()); err != nil {
		fmt.Fprintln(os.Stderr, "filter:", err)
		os.Exit(exitcode.Of(err))
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
		RunE:          exitcode.Failing(func(cmd *cobra.Command, _ []string) error { return serve(cmd.Context(), o) }),
	}
	o.Register(cmd)
	version.Register(cmd)
	cmd.Flags().StringVar(&o.replyKeys, "request-reply-keys", "", "`folder` of a mounted Secret "+requestreply.Secret+", with the keys of RequestReplies")
	return cmd
}

type options struct {
	daemon.Flags
	replyKeys string
}

func serve(ctx context.Context, o options) error {
	ctx, stop := daemon.SignalContext(ctx)
	defer stop()
	p, err := daemon.New(ctx, "filter", o.Flags)
	if err != nil {
		return err
	}
	defer p.Close(ctx)
	keys := daemon.NewReplyKeys(o.replyKeys, p.Logger)
	filter, err := dataplane.NewFilter(dataplane.FilterConfig{
		Client: p.Client, Logger: p.Logger, Meter: p.Meter, Functions: keys.Functions(),
		Started: func(s route.Snapshot) {
			_, triggers := s.Count(route.KindBroker)
			_, subscribers := s.Count(route.KindChannel)
			p.Logger.Info("filter delivers events", "triggers", triggers, "subscribers", subscribers)
		},
	})
	if err != nil {
		return err
	}
	return p.Run(ctx, filter, keys.Follow)
}
