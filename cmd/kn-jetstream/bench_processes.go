package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/signal"
	"syscall"
	"time"

	natsjetstream "github.com/nats-io/nats.go/jetstream"
	"github.com/spf13/cobra"

	"github.com/eventing-jetstream/eventing-jetstream/cmd/internal/bench"
	"github.com/eventing-jetstream/eventing-jetstream/cmd/internal/bench/floor"
	"github.com/eventing-jetstream/eventing-jetstream/cmd/internal/connection"
	"github.com/eventing-jetstream/eventing-jetstream/cmd/internal/memory"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/ingress"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/embedded"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/publish"
)

// newBenchNATSCommand is the NATS of a benchmark: the embedded server, in a process of its own.
func newBenchNATSCommand() *cobra.Command {
	store, profiles := "", ""
	cmd := &cobra.Command{
		Use: "nats", Short: "Be the NATS of a benchmark", Args: cobra.NoArgs, Hidden: true,
		RunE: func(cmd *cobra.Command, _ []string) error {
			ctx, stop := signal.NotifyContext(cmd.Context(), os.Interrupt, syscall.SIGTERM)
			defer stop()
			server, err := embedded.Start(ctx, embedded.Options{Store: store, Holder: fmt.Sprintf("benchmark, process %d", os.Getpid())})
			if err != nil {
				return err
			}
			defer server.Stop()
			defer serveProfiles(ctx, profiles)()
			<-ctx.Done()
			return nil
		},
	}
	cmd.Flags().StringVar(&store, "store", "", "`folder`")
	cmd.Flags().StringVar(&profiles, "profile-listen", "", "`address` to serve profiles at")
	return cmd
}

// floorOptions are the flags of a floor.
type floorOptions struct {
	listen, subscriber, profiles string
	plan                         floor.StreamPlan
	nats                         connection.Flags
}

// newBenchFloorCommand is a floor, in a process of its own.
func newBenchFloorCommand() *cobra.Command {
	o := floorOptions{}
	cmd := &cobra.Command{
		Use: "floor NAME", Short: "Be a floor of a benchmark", Args: cobra.ExactArgs(1), Hidden: true,
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx, stop := signal.NotifyContext(cmd.Context(), os.Interrupt, syscall.SIGTERM)
			defer stop()
			defer serveProfiles(ctx, o.profiles)()
			if args[0] == bench.FloorStream {
				return o.measureStream(ctx, cmd.OutOrStdout())
			}
			return o.serve(ctx, args[0])
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&o.listen, "listen", "127.0.0.1:0", "`address`")
	flags.StringVar(&o.profiles, "profile-listen", "", "`address` to serve profiles at")
	flags.StringVar(&o.subscriber, "subscriber", "", "`URL` that f3 passes requests on to")
	flags.IntVar(&o.plan.Count, "count", 0, "events")
	flags.IntVar(&o.plan.Size, "size", 0, "bytes of data in an event")
	flags.Float64Var(&o.plan.Rate, "rate", 0, "events per second while latencies are measured")
	flags.DurationVar(&o.plan.Duration, "duration", 0, "how long latencies are measured")
	o.nats.Register(flags)
	return cmd
}

// serve is one of the floors that take requests.
func (o floorOptions) serve(ctx context.Context, name string) error {
	memory.Tune() // as the product does: a floor is what the machine can do
	handler, end, err := o.handler(ctx, name)
	if err != nil {
		return err
	}
	defer end()
	mux := http.NewServeMux()
	mux.HandleFunc("GET /readyz", func(http.ResponseWriter, *http.Request) {})
	mux.Handle("/", handler)
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", o.listen)
	if err != nil {
		return err
	}
	server := ingress.Server(mux, 0)
	stop := context.AfterFunc(ctx, func() { _ = server.Close() })
	defer stop()
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

func (o floorOptions) handler(ctx context.Context, name string) (http.Handler, func(), error) {
	nothing := func() {}
	switch name {
	case bench.FloorAnswer:
		return floor.Answer(), nothing, nil
	case bench.FloorProxy:
		to, err := url.Parse(o.subscriber)
		return floor.Proxy(to), nothing, err
	}
	options, err := o.nats.Options("floor "+name, slog.New(slog.DiscardHandler))
	if err != nil {
		return nil, nothing, err
	}
	if name == bench.FloorPublisher {
		client, err := connect(ctx, options)
		if err != nil {
			return nil, nothing, err
		}
		to, err := floor.Address(ctx, client)
		if err != nil {
			return nil, client.Close, err
		}
		sender, err := publish.NewSender(client)
		return floor.Publisher(publish.New(client, sender), to), client.Close, err
	}
	conn, err := floor.Connect(options)
	if err != nil {
		return nil, nothing, err
	}
	js, err := natsjetstream.New(conn)
	return floor.Publish(js, options.Names), conn.Close, err
}

// floorBudget bounds the measurement of JetStream alone.
const floorBudget = 5 * time.Minute

func (o floorOptions) measureStream(ctx context.Context, out io.Writer) error {
	ctx, cancel := context.WithTimeout(ctx, floorBudget)
	defer cancel()
	options, err := o.nats.Options("floor stream", slog.New(slog.DiscardHandler))
	if err != nil {
		return err
	}
	conn, err := floor.Connect(options)
	if err != nil {
		return err
	}
	defer conn.Close()
	o.plan.Names = options.Names
	result, err := floor.Stream(ctx, conn, o.plan)
	if err != nil {
		return err
	}
	return json.NewEncoder(out).Encode(result)
}
