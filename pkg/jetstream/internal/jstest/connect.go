package jstest

import (
	"log/slog"
	"testing"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/naming"
	"github.com/eventing-jetstream/eventing-jetstream/test/natstest"
)

// Connect returns a client of the server that is connected until the test ends, with the names of an
// installation that has none of its own.
func Connect(t testing.TB, s *natstest.Server) *jetstream.Client {
	t.Helper()
	names, err := naming.New(naming.DefaultPrefix)
	Must(t, err)
	c, err := jetstream.Connect(jetstream.Options{URL: s.URL(), Names: names, Logger: slog.New(slog.DiscardHandler)})
	Must(t, err)
	t.Cleanup(c.Close)
	Must(t, c.Wait(Context(t)))
	return c
}
