package connection

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/loop"
)

const (
	// awaitRound is how often it is said that NATS is still waited for, awaitFirst how long that goes without saying. awaitPause is the
	// time between two rounds.
	awaitRound = 10 * time.Second
	awaitFirst = time.Second
	awaitPause = time.Second
)

// Await returns when NATS has been seen to have what is needed, or nil when ctx ends before: a process that starts while
// NATS is away waits for it, alive but not ready, and logs what it waits for and why, each reason at once and then every ten seconds. A
// server that lacks what is needed is an error.
func Await(ctx context.Context, client *jetstream.Client, logger *slog.Logger) error {
	return awaitUsable(ctx, client.Wait, logger)
}

func awaitUsable(ctx context.Context, wait func(context.Context) error, logger *slog.Logger) error {
	var failure loop.Failure
	began, saidAt := time.Now(), time.Time{}
	for patience := awaitFirst; ctx.Err() == nil; patience = awaitRound - awaitPause {
		round, cancel := context.WithTimeout(ctx, patience)
		err := wait(round)
		cancel()
		if err == nil || errors.Is(err, jetstream.ErrServerTooOld) || errors.Is(err, jetstream.ErrNoJetStream) {
			return err
		}
		if ctx.Err() == nil && (failure.IsNew(err) || time.Since(saidAt) >= awaitRound-awaitPause) {
			saidAt = time.Now()
			logger.Warn("waiting for NATS", "for", time.Since(began).Round(time.Second), "error", err)
		}
		loop.Sleep(ctx, awaitPause)
	}
	return nil
}
