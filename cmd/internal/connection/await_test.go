package connection

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream"
)

// Who starts a process while NATS is away reads within seconds what it waits for, and then every ten seconds.
func TestAwaitSaysWhatItWaitsFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		began := time.Now()
		err := awaitUsable(t.Context(), func(ctx context.Context) error {
			switch after := time.Since(began); {
			case after < 35*time.Second:
				<-ctx.Done() // a server that does not answer
				return errors.New("silent")
			case after < 56*time.Second:
				return errors.New("refused")
			}
			return nil
		}, slog.New(slog.NewTextHandler(&log, nil)))
		if err != nil || strings.Count(log.String(), "error=silent") != 5 || strings.Count(log.String(), "error=refused") != 2 {
			t.Errorf("error %v, log:\n%s", err, log.String())
		}
		if !strings.Contains(log.String(), "for=1s") || !strings.Contains(log.String(), "for=11s") || !strings.Contains(log.String(), "for=21s") {
			t.Errorf("log:\n%s", log.String())
		}
	})
}

func TestAwaitEnds(t *testing.T) {
	tooOld := fmt.Errorf("%w (it says 2.9)", jetstream.ErrServerTooOld)
	if err := awaitUsable(t.Context(), func(context.Context) error { return tooOld }, slog.New(slog.DiscardHandler)); !errors.Is(err, tooOld) {
		t.Errorf("error %v, want that the server is too old", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	err := awaitUsable(ctx, func(context.Context) error { cancel(); return errors.New("away") }, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Errorf("error %v after the end of the context", err)
	}
}
