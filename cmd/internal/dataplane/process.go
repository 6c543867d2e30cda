package dataplane

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/oklog/run"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream"
)

const (
	// awaitRound is how long NATS is waited for before the log says why it is not there, awaitPause the time between two rounds.
	awaitRound = 10 * time.Second
	awaitPause = time.Second
)

// Await returns when NATS has been seen to have what is needed, or nil when ctx ends before: a process that starts while
// NATS is away waits for it, alive but not ready, and logs why, once for each reason. A server that lacks what is needed is
// an error.
func Await(ctx context.Context, client *jetstream.Client, logger *slog.Logger) error {
	return awaitUsable(ctx, client.Wait, logger)
}

func awaitUsable(ctx context.Context, wait func(context.Context) error, logger *slog.Logger) error {
	said := ""
	for ctx.Err() == nil {
		round, cancel := context.WithTimeout(ctx, awaitRound)
		err := wait(round)
		cancel()
		if err == nil || errors.Is(err, jetstream.ErrServerTooOld) || errors.Is(err, jetstream.ErrNoJetStream) {
			return err
		}
		if ctx.Err() == nil && err.Error() != said {
			said = err.Error()
			logger.Warn("NATS is not usable yet", "error", err)
		}
		select {
		case <-time.After(awaitPause):
		case <-ctx.Done():
		}
	}
	return nil
}

// Probes answers /healthz as long as the process runs, and /readyz with 200 while ready says so.
func Probes(ready func() bool) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(http.ResponseWriter, *http.Request) {})
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, _ *http.Request) {
		if !ready() {
			http.Error(w, "not ready", http.StatusServiceUnavailable)
		}
	})
	return mux
}

// probeTimeout bounds one probe request.
const probeTimeout = 5 * time.Second

// ServeProbes adds a server of the probes to the group, unless the address is empty.
func ServeProbes(ctx context.Context, group *run.Group, listen string, ready func() bool) error {
	if listen == "" {
		return nil
	}
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", listen)
	if err != nil {
		return err
	}
	server := &http.Server{Handler: Probes(ready), ReadTimeout: probeTimeout, WriteTimeout: probeTimeout, MaxHeaderBytes: 8 << 10}
	group.Add(func() error { return server.Serve(listener) }, func(error) { _ = server.Close() })
	return nil
}

// SignalContext ends at the first interrupt or termination signal; a second one then has its default effect.
func SignalContext(parent context.Context) (context.Context, context.CancelFunc) {
	ctx, stop := signal.NotifyContext(parent, os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop)
	return ctx, stop
}

// Logger writes to standard error, as text lines or JSON objects.
func Logger(json bool) *slog.Logger {
	if json {
		return slog.New(slog.NewJSONHandler(os.Stderr, nil))
	}
	return slog.New(slog.NewTextHandler(os.Stderr, nil))
}
