package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/jedib0t/go-pretty/v6/table"
	natsjetstream "github.com/nats-io/nats.go/jetstream"
	"github.com/spf13/cobra"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/status"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/manifest"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/route"
)

// getBudget is how long reading the routes, the reports and every stream may take.
const getBudget = 30 * time.Second

func newGetCommand() *cobra.Command {
	o := routeOptions{}
	output := ""
	cmd := &cobra.Command{
		Use:       "get brokers|triggers|channels|subscriptions",
		Short:     "Show Brokers, Triggers, Channels or Subscriptions with readiness, backlog and address",
		Args:      cobra.MatchAll(cobra.ExactArgs(1), cobra.OnlyValidArgs),
		ValidArgs: []string{"brokers", "triggers", "channels", "subscriptions", "broker", "trigger", "channel", "subscription"},
		RunE: func(cmd *cobra.Command, args []string) error {
			if output != "" && output != "json" {
				return badInput(fmt.Errorf("--output is %q; it is json or not given", output))
			}
			client, err := o.client(cmd.Context(), "kn-jetstream get")
			if err != nil {
				return err
			}
			defer client.Close()
			ctx, cancel := context.WithTimeout(cmd.Context(), getBudget)
			defer cancel()
			all, err := status.Read(ctx, client)
			if err != nil && !errors.Is(err, natsjetstream.ErrBucketNotFound) { // before the first apply there is nothing to show
				return err
			}
			return show(cmd.OutOrStdout(), all, shown{what: args[0], json: output == "json"})
		},
	}
	o.register(cmd)
	cmd.Flags().StringVarP(&output, "output", "o", "", "json for the whole of it")
	return cmd
}

type shown struct {
	what string
	json bool
}

func show(out io.Writer, s status.Status, as shown) error {
	addresses, s := as.of(s)
	if as.json {
		encoder := json.NewEncoder(out)
		encoder.SetIndent("", "  ")
		if addresses {
			return encoder.Encode(orNone(s.Addresses))
		}
		return encoder.Encode(orNone(s.Targets))
	}
	t := table.NewWriter()
	t.SetStyle(table.StyleLight)
	t.Style().Options = table.OptionsNoBordersAndSeparators
	if addresses {
		addressRows(t, s)
	} else {
		targetRows(t, s, as.heading())
	}
	fmt.Fprintln(out, t.Render())
	return nil
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

func addressRows(t table.Writer, s status.Status) {
	t.AppendHeader(table.Row{"Namespace", "Name", "Ready", "Stored", "Bytes", "Dead letters", "URL", "Reason"})
	for _, a := range s.Addresses {
		reason := a.Reason
		if a.Refuse == manifest.InNoFile {
			reason = deletable(nameOfAddress(a.Address))
		}
		t.AppendRow(table.Row{a.Key.Namespace, a.Key.Name, a.Ready, a.Events, a.Bytes, a.DeadLetters, a.URL, reason})
	}
}

func targetRows(t table.Writer, s status.Status, address string) {
	t.AppendHeader(table.Row{"Namespace", "Name", address, "Ready", "Backlog", "Subscriber", "Reason"})
	for _, r := range s.Targets {
		subscriber, reason := "", r.Reason
		if r.NotReady == manifest.InNoFile {
			reason = deletable(nameOfTarget(r.Target))
		}
		if endpoint := r.Endpoint(); endpoint != nil {
			subscriber = endpoint.URL
		}
		t.AppendRow(table.Row{r.Key.Namespace, r.DisplayName(), r.Key.Address.Name, r.Ready, r.Backlog, subscriber, reason})
	}
}

// deletable is why a route is not served that no file names, and what deletes it.
func deletable(of named) string { return manifest.InNoFile + "; to delete it: " + of.deleteCommand() }
