package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/jedib0t/go-pretty/v6/table"
	natsjetstream "github.com/nats-io/nats.go/jetstream"
	"github.com/spf13/cobra"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream"
)

// getBudget is how long reading the routes, the reports and every stream may take.
const getBudget = 30 * time.Second

func newGetCommand() *cobra.Command {
	o := routeOptions{}
	output := ""
	cmd := &cobra.Command{
		Use:       "get brokers|triggers",
		Short:     "Show Brokers or Triggers with readiness, backlog and address",
		Args:      cobra.MatchAll(cobra.ExactArgs(1), cobra.OnlyValidArgs),
		ValidArgs: []string{"brokers", "triggers", "broker", "trigger"},
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
			status, err := client.Status(ctx)
			if err != nil && !errors.Is(err, natsjetstream.ErrBucketNotFound) { // before the first apply there is nothing to show
				return err
			}
			return show(cmd.OutOrStdout(), status, shown{what: args[0], json: output == "json"})
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

func show(out io.Writer, s jetstream.Status, as shown) error {
	brokers := as.what == "broker" || as.what == "brokers"
	if as.json {
		encoder := json.NewEncoder(out)
		encoder.SetIndent("", "  ")
		if brokers {
			return encoder.Encode(orNone(s.Addresses))
		}
		return encoder.Encode(orNone(s.Targets))
	}
	t := table.NewWriter()
	t.SetStyle(table.StyleLight)
	t.Style().Options = table.OptionsNoBordersAndSeparators
	if brokers {
		brokerRows(t, s)
	} else {
		triggerRows(t, s)
	}
	fmt.Fprintln(out, t.Render())
	return nil
}

// orNone is an empty list, and not null, in JSON.
func orNone[Row any](rows []Row) []Row { return append([]Row{}, rows...) }

func brokerRows(t table.Writer, s jetstream.Status) {
	t.AppendHeader(table.Row{"Namespace", "Name", "Ready", "Stored", "Bytes", "Dead letters", "URL", "Reason"})
	for _, a := range s.Addresses {
		t.AppendRow(table.Row{a.Key.Namespace, a.Key.Name, a.Ready, a.Events, a.Bytes, a.DeadLetters, a.URL, a.Reason})
	}
}

func triggerRows(t table.Writer, s jetstream.Status) {
	t.AppendHeader(table.Row{"Namespace", "Name", "Broker", "Ready", "Backlog", "Subscriber", "Reason"})
	for _, r := range s.Targets {
		subscriber := ""
		if r.Subscriber != nil {
			subscriber = r.Subscriber.URL
		}
		t.AppendRow(table.Row{r.Key.Namespace, r.Key.Name, r.Key.Address.Name, r.Ready, r.Backlog, subscriber, r.Reason})
	}
}
