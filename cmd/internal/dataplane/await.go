package dataplane

import (
	"context"
	"errors"
	"log/slog"
	"time"

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
