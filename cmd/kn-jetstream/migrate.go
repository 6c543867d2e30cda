package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os/signal"
	"slices"
	"syscall"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/spf13/cobra"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/migrate"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/park"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/publish"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/routes"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/route"
)

func newMigrateCommand() *cobra.Command {
	o := routeOptions{}
	dryRun := false
	cmd := &cobra.Command{
		Use:   "migrate",
		Short: "Deliver what Triggers and Subscriptions of eventing-natss had not got yet",
		Long: "Migrate reads what the consumers of knative-extensions/eventing-natss have not acknowledged, and sends it to the Trigger or Subscription\n" +
			"that each of them was for, and to no other. Old streams and consumers stay as they are, but for a consumer of ours that remembers what\n" +
			"was moved: run it again as often as you like. First end the old controllers and dispatchers; see docs/migrate-from-eventing-natss.md.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			ctx, stop := signal.NotifyContext(cmd.Context(), syscall.SIGINT, syscall.SIGTERM)
			defer stop()
			client, err := o.client(ctx, "kn-jetstream migrate")
			if err != nil {
				return err
			}
			defer client.Close()
			return moveAll(ctx, client, migration{out: cmd.OutOrStdout(), dryRun: dryRun})
		},
	}
	o.register(cmd)
	cmd.Flags().BoolVar(&dryRun, "dry-run", false, "only show what would be moved")
	return cmd
}

type migration struct {
	out    io.Writer
	dryRun bool
}

// moveAll moves nothing unless everything can be moved: half a migration is hard to tell from a whole one.
func moveAll(ctx context.Context, client *jetstream.Client, m migration) error {
	found, err := migrate.Find(ctx, client)
	if err != nil {
		return err
	}
	slices.SortFunc(found, func(a, b migrate.Consumer) int {
		return cmp.Or(cmp.Compare(a.Stream, b.Stream), cmp.Compare(a.Consumer, b.Consumer))
	})
	t := table.NewWriter()
	t.SetStyle(table.StyleLight)
	t.Style().Options = table.OptionsNoBordersAndSeparators
	defer func() { fmt.Fprintln(m.out, t.Render()) }()
	t.AppendHeader(table.Row{"Stream", "Consumer", "For", "Waiting", "Moved", "Filtered", "Unreadable"})
	if m.dryRun || obstacles(found) != nil {
		for _, l := range found {
			t.AppendRow(table.Row{l.Stream, l.Consumer, successor(l), l.Waiting, "", "", ""})
		}
		return obstacles(found)
	}
	store, err := storeOf(ctx, client)
	if err != nil {
		return err
	}
	var errs []error
	for _, l := range found {
		if l.Target == nil {
			continue // it has got everything
		}
		moved, err := migrate.Move(ctx, client, store, l)
		t.AppendRow(table.Row{l.Stream, l.Consumer, successor(l), l.Waiting, moved.Sent, moved.Filtered, len(moved.Unreadable)})
		if len(moved.Unreadable) > 0 {
			errs = append(errs, fmt.Errorf("stream %s holds messages for %s that are no CloudEvents, at %d", l.Stream, successor(l), moved.Unreadable))
		}
		if err != nil {
			return errors.Join(append(errs, err)...)
		}
	}
	return errors.Join(errs...)
}

// obstacles is why nothing can be moved; nil when all can.
func obstacles(found []migrate.Consumer) error {
	var errs []error
	for _, l := range found {
		of := fmt.Sprintf("consumer %s of stream %s", l.Consumer, l.Stream)
		switch {
		case l.Busy:
			errs = append(errs, fmt.Errorf("%s is still in use: end the old controllers and dispatchers first", of))
		case l.Target == nil && l.Waiting > 0:
			errs = append(errs, fmt.Errorf("%s has %d events for a Trigger or Subscription that is not there; delete the consumer to give them up", of, l.Waiting))
		case l.Target != nil && l.Target.NotReady != "":
			errs = append(errs, fmt.Errorf("%s: %s is not ready: %s", of, successor(l), l.Target.NotReady))
		}
	}
	return errors.Join(errs...)
}

func successor(l migrate.Consumer) string {
	if l.Target == nil {
		return "nobody"
	}
	return l.Target.DisplayName() + " of " + l.Target.Key.Address.String()
}

// storeOf returns a store that knows the addresses there are.
func storeOf(ctx context.Context, client *jetstream.Client) (*park.Store, error) {
	records, err := routes.Records(ctx, client, "")
	if err != nil {
		return nil, err
	}
	routes := route.NewTable()
	for _, r := range records {
		routes.Apply("", r.Revision, r.Record)
	}
	sender, err := publish.NewSender(client)
	if err != nil {
		return nil, err
	}
	return park.New(client, sender, routes), nil
}
