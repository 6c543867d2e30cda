package owner

import (
	"testing"
	"time"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/buckets"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/internal/jstest"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/naming"
	"github.com/eventing-jetstream/eventing-jetstream/test/natstest"
)

// Records may have been written while the connection was lost, and their news with it: nothing that comes over the next one is dealt by what
// was known before, however soon it comes and whether or not anything is read yet.
func TestTrustEndsWithTheConnection(t *testing.T) {
	t.Parallel()
	names, err := naming.New(naming.DefaultPrefix)
	jstest.Must(t, err)
	for name, options := range map[string]func(*natstest.Server) jetstream.Options{
		"over the network": func(s *natstest.Server) jetstream.Options { return jetstream.Options{URL: s.URL(), Names: names} },
		"in process": func(s *natstest.Server) jetstream.Options {
			return jetstream.Options{InProcess: s.NATS(), Names: names}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := connect(t, options(natstest.Start(t, nil)))
			jstest.Must(t, buckets.Ensure(jstest.Context(t), c))
			p := startProcess(t, c)
			told := make(chan struct{}, 1)
			p.OnChange(func() {
				select {
				case told <- struct{}{}:
				default:
				}
			})
			before := p.Heard()
			p.TrustUntil(time.Now().Add(time.Hour), before)
			jstest.Must(t, c.EventsConn().ForceReconnect())
			jstest.Await(t, "the connection for events is another one", func() bool { return c.EventsConn().Stats().Reconnects > 0 })
			if !p.Trusted() {
				t.Error("the trust ends with a connection that brings no news")
			}

			jstest.Must(t, c.Conn().ForceReconnect())
			jstest.Await(t, "the connection is another one", func() bool { return c.Conn().Stats().Reconnects > 0 })
			if p.Trusted() {
				t.Error("the trust outlives the connection")
			}
			jstest.Await(t, "it is told", func() bool { return len(told) == 1 })
			p.Prolong(time.Now().Add(time.Hour))
			if p.Trusted() {
				t.Error("a trust that has ended is prolonged")
			}
			p.TrustUntil(time.Now().Add(time.Hour), before)
			if p.Trusted() {
				t.Error("what was heard over the former connection begins a trust")
			}
			p.TrustUntil(time.Now().Add(time.Hour), p.Heard())
			if !p.Trusted() {
				t.Error("what was heard over this connection begins none")
			}
		})
	}
}
