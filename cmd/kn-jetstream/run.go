package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/oklog/run"
	"github.com/spf13/cobra"

	"github.com/eventing-jetstream/eventing-jetstream/cmd/internal/connection"
	"github.com/eventing-jetstream/eventing-jetstream/cmd/internal/dataplane"
	"github.com/eventing-jetstream/eventing-jetstream/cmd/internal/memory"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/compile"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/ingress"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/buckets"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/status"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/manifest"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/route"
)

const (
	// stopBudget is how long an interrupted run may take to end: drainBudget for the deliveries in flight, then shutdownBudget
	// for the requests to its own server, and the rest for NATS to close its files.
	stopBudget     = 30 * time.Second
	drainBudget    = 25 * time.Second
	shutdownBudget = 3 * time.Second
	// fileGrace is how long the events of a Trigger or Broker that vanished from the files are kept.
	fileGrace = 30 * time.Second
	// sweepInterval is how often consumers are repaired and what is past its grace is removed.
	sweepInterval = 5 * time.Second
)

type runOptions struct {
	files   []string
	listen  string
	store   string
	sync    string
	resolve []string
	owner   string
	quiet   bool
	prune   bool
	bounds  dataplane.IngressFlags
	nats    connection.Flags
	out     io.Writer
	in      io.Reader // what the file "-" is
	// base is the URL of the ingress.
	base string
}

func newRunCommand() *cobra.Command {
	o := runOptions{}
	cmd := &cobra.Command{
		Use:   "run [-f FILE|DIR]...",
		Short: "Run Brokers and Triggers, Channels and Subscriptions from files, with an embedded NATS JetStream unless --nats is given",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			o.out, o.in = cmd.OutOrStdout(), cmd.InOrStdin()
			return runBroker(cmd.Context(), o)
		},
	}
	flags := cmd.Flags()
	flags.StringArrayVarP(&o.files, "file", "f", nil, "YAML or JSON `file or folder` with Brokers and Triggers, Channels and Subscriptions; it is watched; - is standard input. Without one, routes come from kn-jetstream apply")
	flags.StringVar(&o.listen, "listen", "127.0.0.1:8080", "`address` to take events on")
	flags.StringVar(&o.store, "store", "", "`folder` of the embedded NATS (default: kn-jetstream in the user's data folder)")
	flags.StringVar(&o.sync, "sync", "interval", "`interval`: a power cut may take the last two minutes; always: every event is on the disk before its 202, which is slow")
	flags.StringArrayVar(&o.resolve, "resolve", nil, "`kind/namespace/name=URL` of something that a Trigger or Subscription refers to")
	flags.StringVar(&o.owner, "owner", "", "name under which the routes are written (default: run, with --nats run@HOSTNAME)")
	flags.BoolVar(&o.prune, "prune", false, "delete at the start what earlier runs have left and no file names; else it is kept, and not delivered")
	flags.BoolVar(&o.quiet, "quiet", false, "print displayed events as one line each")
	o.bounds.Register(flags)
	o.nats.Register(flags)
	cmd.MarkFlagsMutuallyExclusive("nats", "store") // these two are about the embedded NATS
	cmd.MarkFlagsMutuallyExclusive("nats", "sync")
	return cmd
}

func runBroker(ctx context.Context, o runOptions) error {
	if o.owner == "" {
		o.owner = defaultOwner(o.nats.URL)
	}
	listener, listenErr := (&net.ListenConfig{}).Listen(ctx, "tcp", o.listen)
	if listenErr == nil {
		defer listener.Close()
		o.base = "http://" + listener.Addr().String()
	}
	resources, err := o.load()
	if err != nil {
		return badInput(err)
	}
	logger := slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelInfo}))
	// Who holds the store says more than that the port is taken.
	client, stop, err := connectOrEmbed(ctx, o, logger)
	if err != nil {
		return err
	}
	defer stop()
	if listenErr != nil {
		return fmt.Errorf("%w; --listen chooses another address", listenErr)
	}
	return serve(ctx, o, served{client: client, listener: listener, resources: resources, log: logger})
}

// load checks the flags and reads the files; without files the resources are nil. Every error is the user's.
func (o *runOptions) load() (*manifest.Resources, error) {
	resolver, err := compile.NewResolver(o.resolve)
	if err != nil {
		return nil, err
	}
	if o.sync != "interval" && o.sync != "always" {
		return nil, fmt.Errorf("--sync is %q; it is interval or always", o.sync)
	}
	if err := o.bounds.Validate(); err != nil {
		return nil, err
	}
	if _, err := net.ResolveTCPAddr("tcp", o.listen); err != nil {
		return nil, fmt.Errorf("--listen: %w", err)
	}
	if len(o.files) == 0 {
		return nil, nil
	}
	return manifest.LoadWith(o.in, o.files, manifest.LoadOptions{Owner: o.owner, Resolve: resolver, IngressURL: o.base})
}

func defaultOwner(natsURL string) string {
	host, err := os.Hostname()
	if natsURL == "" || err != nil {
		return "run"
	}
	return "run@" + host
}

// served is what serve works with.
type served struct {
	client    *jetstream.Client
	listener  net.Listener
	resources *manifest.Resources
	log       *slog.Logger
}

// serve runs ingress, filter, HTTP server and file watch until a signal comes or one of them fails.
func serve(ctx context.Context, o runOptions, s served) error {
	if err := buckets.Ensure(ctx, s.client); err != nil {
		return err
	}
	id := ""
	if o.nats.URL == "" {
		id = "run" // alone on its store
		if err := buckets.FirstReports(ctx, s.client); err != nil {
			return err
		}
	}
	in, unmatched, err := newIngress(o, s, id)
	if err != nil {
		return err
	}
	filter, err := dataplane.NewFilter(dataplane.FilterConfig{Client: s.client, Logger: s.log, ID: id, Budget: memory.Budget() / 2})
	if err != nil {
		return err
	}
	routes := fileRoutes(s.client, o.owner)
	files := &fileOwner{
		owner: routes, follower: manifest.NewFollower(routes), resources: s.resources, prune: o.prune, out: o.out, base: o.base,
		announcer: announcer{
			status: func(ctx context.Context) (status.Status, error) { return status.Read(ctx, s.client) }, serving: func() bool { return in.Ready() && filter.Ready() }, owner: o.owner, out: o.out, files: s.resources != nil,
		},
	}
	server := ingress.Server(builtInSubscribers(files.holding(in), o.out, o.quiet), 0)
	// Before anything is delivered; what fails here is tried again, and said, by the file owner's loop.
	if err := files.begin(ctx); err != nil {
		s.log.Warn("what is in no file may be delivered for a moment", "error", err)
	}

	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var group run.Group
	group.Add(run.SignalHandler(ctx, os.Interrupt, syscall.SIGTERM))
	for _, loop := range []func(context.Context){in.Run, unmatched.run, files.run} {
		addLoop(ctx, &group, loop)
	}
	filterCtx, stopFilter := context.WithCancel(ctx)
	group.Add(func() error { filter.Run(filterCtx); return nil }, func(error) { stopFilter() })
	group.Add(func() error { return server.Serve(s.listener) }, func(error) {
		fmt.Fprintf(o.out, "stopping: waiting for deliveries in flight, at most %.0f s; interrupt again to end at once\n", stopBudget.Seconds())
		signal.Reset(os.Interrupt, syscall.SIGTERM) // a second signal ends the drain at once
		// The subscribers may be displays behind this very server: it ends after the last delivery.
		drain, cancelDrain := context.WithTimeout(context.Background(), drainBudget)
		defer cancelDrain()
		filter.Drain(drain)
		shutdown, cancelShutdown := context.WithTimeout(context.Background(), shutdownBudget)
		defer cancelShutdown()
		if err := server.Shutdown(shutdown); err != nil {
			_ = server.Close()
		}
	})
	err = group.Run()
	var signaled *run.SignalError
	if errors.As(err, &signaled) {
		fmt.Fprintln(o.out, "stopped")
		return nil
	}
	return err
}

// newIngress returns the ingress, and what finds the events that no target wants.
func newIngress(o runOptions, s served, id string) (in *dataplane.Ingress, found *unmatched, err error) {
	in, err = dataplane.NewIngress(dataplane.IngressConfig{
		Client: s.client, URL: o.base, MaxEventBytes: o.bounds.MaxEventBytes, MaxInFlight: o.bounds.MaxInFlight, Logger: s.log, ID: id,
		Budget: memory.Budget() / 2,
		Publisher: func(to ingress.Publisher) ingress.Publisher {
			now := func() route.Snapshot { return in.Routes() }
			found = newUnmatched(to, now, func(e unmatchedEvent) { sayUnmatched(o.out, e) })
			return found
		},
	})
	return in, found, err
}

func addLoop(ctx context.Context, group *run.Group, loop func(context.Context)) {
	ctx, cancel := context.WithCancel(ctx)
	group.Add(func() error { loop(ctx); return nil }, func(error) { cancel() })
}
