package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"time"

	natsjetstream "github.com/nats-io/nats.go/jetstream"
	"github.com/spf13/cobra"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/count"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/status"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/manifest"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/route"
)

// getBudget is how long reading the routes, the reports and every stream may take.
const getBudget = 30 * time.Second

func newGetCommand() *cobra.Command {
	o := routeOptions{}
	output, watch := "", false
	cmd := &cobra.Command{
		Use:   "get brokers|triggers|channels|subscriptions",
		Short: "Show Brokers, Triggers, Channels or Subscriptions with readiness, numbers, backlog and address",
		Long: `Show Brokers, Triggers, Channels or Subscriptions.

ACCEPTED, DELIVERED, UNMATCHED (events that no Trigger or Subscription gets) and FAILED (attempts) are counted by the live ingress and filter
processes since each of them began. RETRYING events wait in a filter for their next attempt. DEAD are the dead letters that are kept, or,
where a dead letter sink takes them, those that were counted. BACKLOG are events that may still be delivered, at most this many: those
who share a log have all that any of them still has to read. OLDEST is the age of the oldest of them.`,
		Args:      cobra.MatchAll(cobra.ExactArgs(1), cobra.OnlyValidArgs),
		ValidArgs: []string{"brokers", "triggers", "channels", "subscriptions", "broker", "trigger", "channel", "subscription"},
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := checkOutput(output, "wide", "json", "yaml", "name"); err != nil {
				return err
			}
			ctx, stop := signal.NotifyContext(cmd.Context(), os.Interrupt, syscall.SIGTERM)
			defer stop()
			client, err := o.client(ctx, "kn-jetstream get")
			if err != nil {
				return err
			}
			defer client.Close()
			v := view{
				shown: shown{what: args[0], output: output},
				read:  func(ctx context.Context) (status.Status, []string, error) { return read(ctx, client) },
				out:   cmd.OutOrStdout(), errs: cmd.ErrOrStderr(),
			}
			if watch {
				return v.watch(ctx)
			}
			return v.once(ctx)
		},
	}
	o.register(cmd)
	cmd.Flags().StringVarP(&output, "output", "o", "", "wide for more columns, json or yaml for the whole of it, name for kind/namespace/name in a line each")
	cmd.Flags().BoolVarP(&watch, "watch", "w", false, "show it again whenever more of it changes than an age, until interrupted")
	return cmd
}

// read reads everything once. silent are the processes whose numbers are missing.
func read(ctx context.Context, client *jetstream.Client) (all status.Status, silent []string, err error) {
	ctx, cancel := context.WithTimeout(ctx, getBudget)
	defer cancel()
	all, err = status.Read(ctx, client)
	if errors.Is(err, natsjetstream.ErrBucketNotFound) { // before the first apply there is nothing to show
		return all, nil, nil
	}
	if err == nil {
		silent, err = all.Count(ctx, client, count.KeptFailures)
	}
	return all, silent, err
}

// shown says what is shown, and how. Ages are those at the time now.
type shown struct {
	what string
	// output is wide, json, yaml, name or empty.
	output string
	now    time.Time
}

func show(out io.Writer, s status.Status, as shown) error {
	addresses, s := as.of(s)
	switch as.output {
	case "name":
		as.names(out, addresses, s)
		return nil
	case "json", "yaml":
		if addresses {
			return encode(out, as.output, orNone(s.Addresses))
		}
		return encode(out, as.output, orNone(s.Targets))
	}
	t := newTable()
	if addresses {
		as.addressRows(t, s)
	} else {
		as.targetRows(t, s)
	}
	fmt.Fprintln(out, t.Render())
	return nil
}

// names prints a line for each that is shown.
func (as shown) names(out io.Writer, addresses bool, s status.Status) {
	if addresses {
		for _, a := range s.Addresses {
			fmt.Fprintln(out, nameOfAddress(a.Address).path())
		}
		return
	}
	for _, t := range s.Targets {
		fmt.Fprintln(out, nameOfTarget(t.Target).path())
	}
}

// of keeps what is asked for, and tells whether that is addresses or targets.
func (as shown) of(s status.Status) (addresses bool, kept status.Status) {
	kind := route.KindBroker
	if strings.HasPrefix(as.what, "channel") || strings.HasPrefix(as.what, "subscription") {
		kind = route.KindChannel
	}
	kept.Addresses = slices.DeleteFunc(s.Addresses, func(a status.AddressStatus) bool { return a.Key.Kind != kind })
	kept.Targets = slices.DeleteFunc(s.Targets, func(t status.TargetStatus) bool { return t.Key.Address.Kind != kind })
	return strings.HasPrefix(as.what, "broker") || strings.HasPrefix(as.what, "channel"), kept
}

// heading is of the column with the targets' addresses.
func (as shown) heading() string {
	if strings.HasPrefix(as.what, "subscription") {
		return "Channel"
	}
	return "Broker"
}

// orNone is an empty list, and not null, in JSON.
func orNone[Row any](rows []Row) []Row { return append([]Row{}, rows...) }

// deletable is why a route is not served that no file names, and what deletes it.
func deletable(of named) string { return manifest.InNoFile + "; to delete it: " + of.deleteCommand() }
