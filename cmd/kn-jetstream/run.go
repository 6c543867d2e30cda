package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/oklog/run"
	"github.com/spf13/cobra"

	"github.com/eventing-jetstream/eventing-jetstream/cmd/internal/dataplane"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/compile"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/display"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/ingress"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/embedded"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/manifest"
)

const (
	// drainBudget is how long an interrupted run lets requests in flight finish.
	drainBudget = 30 * time.Second
	// connectBudget is how long a command waits for NATS before it says that it cannot be reached.
	connectBudget = 10 * time.Second
	// fileGrace is how long the events of a Trigger or Broker that vanished from the files are kept.
	fileGrace = 30 * time.Second
	// sweepInterval is how often consumers are repaired and what is past its grace is removed.
	sweepInterval = 5 * time.Second
)

type runOptions struct {
	files         []string
	listen        string
	store         string
	sync          string
	resolve       []string
	owner         string
	quiet         bool
	maxEventBytes int64
	maxInFlight   int
	nats          dataplane.NATSFlags
	out           io.Writer
}

func newRunCommand() *cobra.Command {
	o := runOptions{}
	cmd := &cobra.Command{
		Use:   "run [-f FILE|DIR]...",
		Short: "Run Brokers and Triggers from files, with an embedded NATS JetStream unless --nats is given",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			o.out = cmd.OutOrStdout()
			return runBroker(cmd.Context(), o)
		},
	}
	flags := cmd.Flags()
	flags.StringArrayVarP(&o.files, "file", "f", nil, "YAML `file or folder` with Brokers and Triggers; it is watched. Without one, routes come from kn-jetstream apply")
	flags.StringVar(&o.listen, "listen", "127.0.0.1:8080", "`address` to take events on")
	flags.StringVar(&o.store, "store", "", "`folder` of the embedded NATS (default: kn-jetstream in the user's data folder)")
	flags.StringVar(&o.sync, "sync", "interval", "`interval`: a power cut may take the last two minutes; always: every event is on the disk before its 202, which is slow")
	flags.StringArrayVar(&o.resolve, "resolve", nil, "`kind/namespace/name=URL` of something that a Trigger refers to")
	flags.StringVar(&o.owner, "owner", "", "name under which the routes are written (default: run, with --nats run@HOSTNAME)")
	flags.BoolVar(&o.quiet, "quiet", false, "print displayed events as one line each")
	flags.Int64Var(&o.maxEventBytes, "max-event-bytes", 0, "size limit of an event (default: what NATS takes)")
	flags.IntVar(&o.maxInFlight, "max-in-flight", ingress.DefaultMaxInFlight, "requests that the ingress handles at one time")
	o.nats.Register(flags)
	return cmd
}

func runBroker(ctx context.Context, o runOptions) error {
	resolver, err := compile.NewResolver(o.resolve)
	if err != nil {
		return badInput(err)
	}
	if o.sync != "interval" && o.sync != "always" {
		return badInput(fmt.Errorf("--sync is %q; it is interval or always", o.sync))
	}
	if o.owner == "" {
		o.owner = defaultOwner(o.nats.URL)
	}
	var resources *manifest.Resources
	if len(o.files) > 0 {
		if resources, err = manifest.Load(o.files, manifest.LoadOptions{Owner: o.owner, Resolve: resolver}); err != nil {
			return badInput(err)
		}
	}
	logger := slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelInfo}))
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", o.listen)
	if err != nil {
		return err
	}
	defer listener.Close()
	client, stop, err := connectOrEmbed(ctx, o, logger)
	if err != nil {
		return err
	}
	defer stop()
	return serve(ctx, o, served{client: client, listener: listener, resources: resources, log: logger})
}

func defaultOwner(natsURL string) string {
	host, err := os.Hostname()
	if natsURL == "" || err != nil {
		return "run"
	}
	return "run@" + host
}

// connectOrEmbed returns a client of the NATS that the flags name, or of one that it starts in this process.
func connectOrEmbed(ctx context.Context, o runOptions, logger *slog.Logger) (*jetstream.Client, func(), error) {
	options, err := o.nats.Options("kn-jetstream run", logger)
	if err != nil {
		return nil, nil, badInput(err)
	}
	stopServer := func() {}
	if o.nats.URL == "" {
		if o.store == "" {
			if o.store, err = defaultStore(); err != nil {
				return nil, nil, err
			}
		}
		server, err := embedded.Start(ctx, embedded.Options{
			Store: o.store, SyncAlways: o.sync == "always",
			Holder: fmt.Sprintf("process %d, listening on %s since %s", os.Getpid(), o.listen, time.Now().Format(time.DateTime)),
		})
		if err != nil {
			return nil, nil, err
		}
		stopServer = server.Stop
		options.InProcess, options.URL = server, server.URL()
	}
	client, err := connect(ctx, options)
	if err != nil {
		stopServer()
		return nil, nil, err
	}
	return client, func() { client.Close(); stopServer() }, nil
}

// defaultStore follows the XDG base directory specification.
func defaultStore() (string, error) {
	if data := os.Getenv("XDG_DATA_HOME"); data != "" {
		return filepath.Join(data, "kn-jetstream"), nil
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return "", fmt.Errorf("--store is needed: %w", err)
	}
	return filepath.Join(home, ".local", "share", "kn-jetstream"), nil
}

func connect(ctx context.Context, options jetstream.Options) (*jetstream.Client, error) {
	client, err := jetstream.Connect(options)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, connectBudget)
	defer cancel()
	if err := client.Wait(ctx); err != nil {
		client.Close()
		return nil, err
	}
	return client, nil
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
	if err := s.client.EnsureBuckets(ctx); err != nil {
		return err
	}
	base := "http://" + s.listener.Addr().String()
	in := dataplane.NewIngress(dataplane.IngressConfig{
		Client: s.client, URL: base, MaxEventBytes: o.maxEventBytes, MaxInFlight: o.maxInFlight, Logger: s.log,
	})
	filter, err := dataplane.NewFilter(dataplane.FilterConfig{Client: s.client, Logger: s.log})
	if err != nil {
		return err
	}
	server := ingress.Server(mount(in, o), 0)
	files := &fileOwner{
		owner: s.client.NewOwner(o.owner, fileGrace), client: s.client, resources: s.resources, out: o.out, log: s.log, base: base,
	}

	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var group run.Group
	group.Add(run.SignalHandler(ctx, os.Interrupt, syscall.SIGTERM))
	for _, loop := range []func(context.Context){in.Run, files.run} {
		addLoop(ctx, &group, loop)
	}
	filterCtx, stopFilter := context.WithCancel(ctx)
	group.Add(func() error { filter.Run(filterCtx); return nil }, func(error) { stopFilter() })
	group.Add(func() error { return server.Serve(s.listener) }, func(error) {
		// The subscribers may be displays behind this very server: it ends after the last delivery.
		drain, cancel := context.WithTimeout(context.Background(), drainBudget)
		defer cancel()
		signal.Reset(os.Interrupt, syscall.SIGTERM) // a second signal ends the drain at once
		filter.Drain(drain)
		if err := server.Shutdown(drain); err != nil {
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

func addLoop(ctx context.Context, group *run.Group, loop func(context.Context)) {
	ctx, cancel := context.WithCancel(ctx)
	group.Add(func() error { loop(ctx); return nil }, func(error) { cancel() })
}

// mount puts the built-in subscribers beside the ingress; "-" is no legal namespace.
func mount(in http.Handler, o runOptions) http.Handler {
	show := display.New(display.Options{Out: o.out, Quiet: o.quiet})
	count := display.NewCounter()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case strings.HasPrefix(r.URL.Path, display.Prefix):
			show.ServeHTTP(w, r)
		case strings.HasPrefix(r.URL.Path, display.CountPrefix):
			count.ServeHTTP(w, r)
		default:
			in.ServeHTTP(w, r)
		}
	})
}
