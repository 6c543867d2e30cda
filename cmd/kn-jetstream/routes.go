package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/url"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/eventing-jetstream/eventing-jetstream/cmd/internal/connection"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/compile"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/buckets"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/handles"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/owner"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/manifest"
)

// routeOptions are what the commands that read or write routes have in common.
type routeOptions struct {
	files   []string
	in      io.Reader // what the file "-" is
	resolve []string
	ingress string
	owner   string
	store   string
	nats    connection.Flags
}

// commandOwner signs the routes that apply writes.
const commandOwner = "apply"

func (o *routeOptions) register(cmd *cobra.Command) {
	flags := cmd.Flags()
	o.nats.Register(flags)
	flags.StringVar(&o.store, "store", "", "without --nats: `folder` of the embedded NATS of a kn-jetstream run on this machine")
	cmd.MarkFlagsMutuallyExclusive("nats", "store")
}

func (o *routeOptions) registerFiles(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringArrayVarP(&o.files, "file", "f", nil, "YAML or JSON `file or folder` with Brokers and Triggers, Channels and Subscriptions; - is standard input")
	flags.StringArrayVar(&o.resolve, "resolve", nil, "`kind/namespace/name=URL` of something that a Trigger or Subscription refers to")
	flags.StringVar(&o.ingress, "ingress-url", "", "`URL` of the ingress, for references to Brokers and Channels that are in the files")
	flags.StringVar(&o.owner, "owner", commandOwner, "name under which the routes are written")
}

// client connects to the NATS of the flags, else to that of a kn-jetstream run on this machine.
func (o *routeOptions) client(ctx context.Context, name string) (*jetstream.Client, error) {
	options, err := o.nats.Options(name, slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelError})))
	if err != nil {
		return nil, badInput(err)
	}
	if options.URL == "" {
		return connectToRun(ctx, o.store, options)
	}
	return connect(ctx, options)
}

// fileRoutes is the owner of this name of routes that come from files, and from what operators want beside the files.
func fileRoutes(client *jetstream.Client, name string) *owner.Owner {
	o := owner.New(client, name, fileGrace)
	o.Handles = handles.New(client)
	return o
}

func (o *routeOptions) load() (*manifest.Resources, error) {
	if len(o.files) == 0 {
		return nil, badInput(fmt.Errorf("-f is needed"))
	}
	if base, err := url.Parse(o.ingress); o.ingress != "" && (err != nil || base.Scheme != "http" && base.Scheme != "https" || base.Host == "") {
		return nil, badInput(fmt.Errorf("--ingress-url %q is not a URL with http or https and a host", o.ingress))
	}
	resolver, err := compile.NewResolver(o.resolve)
	if err != nil {
		return nil, badInput(err)
	}
	resources, err := manifest.LoadWith(o.in, o.files, manifest.LoadOptions{Owner: o.owner, Resolve: resolver, IngressURL: strings.TrimSuffix(o.ingress, "/")})
	if err != nil {
		return nil, badInput(err)
	}
	return resources, nil
}

// nothingToDo is said of files that name nothing that is served here: nobody should wait for what will not come.
const nothingToDo = "The files name no Broker, Trigger, Channel or Subscription that is served here: there is nothing to do"

func isEmpty(d manifest.Desired) bool { return len(d.Addresses)+len(d.Targets) == 0 }

func newApplyCommand() *cobra.Command {
	o := routeOptions{}
	cmd := &cobra.Command{
		Use:   "apply -f FILE|DIR...",
		Short: "Write the routes of Brokers and Triggers, Channels and Subscriptions to a NATS, for the ingress and filter processes that use it",
		Long: `Write the routes of Brokers and Triggers, Channels and Subscriptions to a NATS, for the ingress and filter processes that use it.
It adds and changes what the files name, and ends nothing: what is in none of them goes on as it was. kn-jetstream delete ends routes.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			o.in = cmd.InOrStdin()
			return applyRoutes(cmd, o)
		},
	}
	o.register(cmd)
	o.registerFiles(cmd)
	return cmd
}

func applyRoutes(cmd *cobra.Command, o routeOptions) error {
	resources, err := o.load()
	if err != nil {
		return err
	}
	client, err := o.client(cmd.Context(), "kn-jetstream apply")
	if err != nil {
		return err
	}
	defer client.Close()
	ctx, cancel := context.WithTimeout(cmd.Context(), applyBudget)
	defer cancel()
	if err := buckets.Make(ctx, client); err != nil {
		return err
	}
	if err := sweepEarlier(ctx, client, o.owner); err != nil {
		return err
	}
	routes := fileRoutes(client, o.owner)
	if err := manifest.Put(ctx, routes, resources.Desired()); err != nil {
		return err
	}
	for _, line := range append(resources.Ignored, resources.Desired().Notes...) {
		fmt.Fprintln(cmd.OutOrStdout(), line)
	}
	d := resources.Desired()
	if isEmpty(d) {
		fmt.Fprintln(cmd.OutOrStdout(), nothingToDo)
	}
	for _, a := range d.Addresses {
		fmt.Fprintln(cmd.OutOrStdout(), a.Key, "applied")
	}
	for _, t := range d.Targets {
		fmt.Fprintln(cmd.OutOrStdout(), t.Key, "applied")
	}
	return routes.Sweep(ctx)
}
