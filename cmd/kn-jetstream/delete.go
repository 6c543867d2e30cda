package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	natsjetstream "github.com/nats-io/nats.go/jetstream"
	"github.com/spf13/cobra"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/owner"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/routes"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/status"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/loop"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/manifest"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/route"
)

type deleteOptions struct {
	routeOptions
	namespace string
	wait      bool
}

func newDeleteCommand() *cobra.Command {
	o := deleteOptions{}
	cmd := &cobra.Command{
		Use:   "delete (-f FILE|DIR... | broker|trigger|channel|subscription NAME)",
		Short: "End the routes that apply wrote, or one that is in no file of kn-jetstream run; their events are kept for 30 s more",
		Example: `  kn-jetstream delete -f routes.yaml --nats nats://host:4222
  kn-jetstream delete trigger orders -n shop`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 0 && (len(args) != 2 || len(o.files) > 0) {
				return errors.New("give either -f or one kind and name, as in delete trigger orders")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			o.in = cmd.InOrStdin()
			return deleteRoutes(cmd, o, args)
		},
	}
	o.register(cmd)
	o.registerFiles(cmd)
	flags := cmd.Flags()
	flags.StringVarP(&o.namespace, "namespace", "n", "default", "namespace of the one that is named")
	flags.BoolVar(&o.wait, "wait", true, "wait for the 30 s and remove the events, streams and consumers; else the next apply or delete does it")
	return cmd
}

func deleteRoutes(cmd *cobra.Command, o deleteOptions, args []string) error {
	choose, err := o.choice(args)
	if err != nil {
		return err
	}
	client, err := o.client(cmd.Context(), "kn-jetstream delete")
	if err != nil {
		return err
	}
	defer client.Close()
	ctx, cancel := context.WithTimeout(cmd.Context(), applyBudget)
	defer cancel()
	if err := sweepEarlier(ctx, client, o.owner); err != nil {
		return err
	}
	what, err := choose(ctx, client)
	if err != nil {
		return err
	}
	routes := fileRoutes(client, what.owner)
	undelivered := countUndelivered(ctx, func(ctx context.Context) (status.Status, error) { return status.Read(ctx, client) })
	removed, err := manifest.Remove(ctx, routes, what.routes)
	if errors.Is(err, natsjetstream.ErrBucketNotFound) {
		err = nil // nobody has applied anything there yet
	}
	for _, ended := range removed {
		fmt.Fprintf(cmd.OutOrStdout(), "%s deleted; %s\n", ended, undelivered.kept(ended))
	}
	if err != nil {
		return err
	}
	if len(removed) == 0 {
		return fmt.Errorf("nothing to delete: none of these is a route of the owner %q", what.owner)
	}
	if what.owner != o.owner {
		fmt.Fprintln(cmd.ErrOrStderr(), "The kn-jetstream run that it belongs to removes what it had after 30 s; where there is none, the next apply or delete does.")
		return nil
	}
	return o.sweep(cmd, routes)
}

// sweepEarlier finishes what commands before this one have left: removals of this owner, also those that were broken off half-way and
// would keep their routes from being put, and of routes that a kn-jetstream run had in no file and that may have no run any more.
func sweepEarlier(ctx context.Context, client *jetstream.Client, name string) error {
	records, err := routes.Records(ctx, client, "")
	if errors.Is(err, natsjetstream.ErrBucketNotFound) {
		return nil
	}
	if err != nil && !errors.Is(err, route.ErrRecord) {
		return err
	}
	owners := map[string]bool{}
	for _, r := range records {
		if r.DeletedAt != nil && !r.Swept && (r.Owner() == name || inNoFile(r.Record)) {
			owners[r.Owner()] = true
		}
	}
	var errs []error
	for name := range owners {
		errs = append(errs, fileRoutes(client, name).Sweep(ctx))
	}
	if err := errors.Join(errs...); err != nil && !errors.Is(err, route.ErrRecord) {
		return err
	}
	return nil
}

// sweep removes what the routes had, after the grace period.
func (o *deleteOptions) sweep(cmd *cobra.Command, routes *owner.Owner) error {
	if o.wait {
		fmt.Fprintln(cmd.ErrOrStderr(), "Waiting 30 s before their events go; interrupt and apply again to keep them.")
		if !loop.Sleep(cmd.Context(), fileGrace+time.Second) {
			return cmd.Context().Err()
		}
	}
	ctx, cancel := context.WithTimeout(cmd.Context(), applyBudget)
	defer cancel()
	return routes.Sweep(ctx)
}

// choice tells what the files or the arguments name; what the arguments name has to be looked up.
func (o *deleteOptions) choice(args []string) (func(context.Context, *jetstream.Client) (ownedRoutes, error), error) {
	if len(args) == 0 {
		resources, err := o.load()
		if err != nil {
			return nil, err
		}
		return func(context.Context, *jetstream.Client) (ownedRoutes, error) {
			return ownedRoutes{o.owner, resources.Desired()}, nil
		}, nil
	}
	asked, err := askedFor(args[0], o.namespace, args[1])
	if err != nil {
		return nil, badInput(err)
	}
	return func(ctx context.Context, client *jetstream.Client) (ownedRoutes, error) {
		records, err := routes.Records(ctx, client, "")
		if err != nil && !errors.Is(err, natsjetstream.ErrBucketNotFound) {
			return ownedRoutes{}, err
		}
		return asked.among(records, o.owner)
	}, nil
}
