package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"syscall"

	"github.com/oklog/run"
	"github.com/spf13/cobra"

	"github.com/eventing-jetstream/eventing-jetstream/cmd/internal/display"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/ingress"
)

// displayName is what an event is shown under that was sent to no name.
const displayName = "display"

type displayOptions struct {
	listen string
	quiet  bool
	out    io.Writer
}

func newDisplayCommand() *cobra.Command {
	o := displayOptions{}
	cmd := &cobra.Command{
		Use:   "display",
		Short: "Be a subscriber that prints what it gets: POST / or " + display.Prefix + "NAME; POST " + display.CountPrefix + "NAME only counts",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			o.out = cmd.OutOrStdout()
			return showEvents(cmd.Context(), o)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&o.listen, "listen", "127.0.0.1:8081", "`address` to take events on")
	flags.BoolVar(&o.quiet, "quiet", false, "print events as one line each")
	return cmd
}

// showEvents serves until a signal comes.
func showEvents(ctx context.Context, o displayOptions) error {
	if _, err := net.ResolveTCPAddr("tcp", o.listen); err != nil {
		return badInput(fmt.Errorf("--listen: %w", err))
	}
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", o.listen)
	if err != nil {
		return fmt.Errorf("%w; --listen chooses another address", err)
	}
	fmt.Fprintf(o.out, "events are shown that are sent to http://%s\n", listener.Addr())
	server := ingress.Server(rootShown(builtInSubscribers(http.NotFoundHandler(), o.out, o.quiet)), 0)

	var group run.Group
	group.Add(run.SignalHandler(ctx, os.Interrupt, syscall.SIGTERM))
	group.Add(func() error { return server.Serve(listener) }, func(error) {
		shutdown, cancel := context.WithTimeout(context.WithoutCancel(ctx), shutdownBudget)
		defer cancel()
		if err := server.Shutdown(shutdown); err != nil {
			_ = server.Close()
		}
	})
	err = group.Run()
	if _, signaled := errors.AsType[*run.SignalError](err); signaled || ctx.Err() != nil {
		return nil
	}
	return err
}

// rootShown shows what is sent to the root: a subscriber that is named by its Service alone has no path.
func rootShown(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/" || r.URL.Path == "" {
			r = r.Clone(r.Context())
			r.URL.Path = display.Prefix + displayName
		}
		next.ServeHTTP(w, r)
	})
}

// builtInSubscribers puts the subscribers that this program has beside another handler; "-" is no legal namespace.
func builtInSubscribers(beside http.Handler, out io.Writer, quiet bool) http.Handler {
	show := display.New(display.Options{Out: out, Quiet: quiet})
	count := display.NewCounter()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case strings.HasPrefix(r.URL.Path, display.Prefix):
			show.ServeHTTP(w, r)
		case strings.HasPrefix(r.URL.Path, display.CountPrefix):
			count.ServeHTTP(w, r)
		default:
			beside.ServeHTTP(w, r)
		}
	})
}
