package owner

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/internal/jstest"
	"github.com/eventing-jetstream/eventing-jetstream/test/natstest"
)

// connectTo connects without waiting.
func connectTo(t *testing.T, o jetstream.Options) *jetstream.Client {
	t.Helper()
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	c, err := jetstream.Connect(o)
	jstest.Must(t, err)
	t.Cleanup(c.Close)
	return c
}

func shortly(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	t.Cleanup(cancel)
	return ctx
}

func TestWhatIsWrongWithAServerIsSaid(t *testing.T) {
	t.Parallel()
	t.Run("nobody is there", func(t *testing.T) {
		c := connectTo(t, jetstream.Options{URL: "nats://127.0.0.1:1"})
		if err := c.Wait(shortly(t)); err == nil || !strings.Contains(err.Error(), "cannot be reached") || c.Connected() {
			t.Errorf("error %v, connected %v", err, c.Connected())
		}
		if c.MaxPayload() != 1<<20 {
			t.Errorf("the largest message is %d before the first connection", c.MaxPayload())
		}
	})
	t.Run("no JetStream", func(t *testing.T) {
		s := natstest.Start(t, func(o *server.Options) { o.JetStream = false })
		if err := connectTo(t, jetstream.Options{URL: s.URL()}).Wait(shortly(t)); !errors.Is(err, jetstream.ErrNoJetStream) {
			t.Errorf("error %v, want ErrNoJetStream", err)
		}
	})
}

func TestOptionsThatCannotBe(t *testing.T) {
	t.Parallel()
	missing := filepath.Join(t.TempDir(), "missing")
	for name, o := range map[string]jetstream.Options{
		"a certificate without its key": {Cert: missing},
		"a key without its certificate": {Key: missing},
		"no such NKey":                  {NKey: missing},
		"no such certificate":           {Cert: missing, Key: missing},
		"no such CA":                    {CA: missing},
	} {
		o.Logger = slog.New(slog.DiscardHandler)
		if c, err := jetstream.Connect(o); err == nil {
			c.Close()
			t.Errorf("%s: no error", name)
		}
	}
}

func TestAPasswordInAURLIsNotInTheError(t *testing.T) {
	t.Parallel()
	for _, url := range []string{"nats://user:s3cret%zz@host", "nats://host,nats://user:s3/cret@host", "nats://user:s3cret@ho st"} {
		c, err := jetstream.Connect(jetstream.Options{URL: url, Logger: slog.New(slog.DiscardHandler)})
		if err == nil {
			c.Close()
			t.Errorf("%s: no error", url)
		} else if strings.Contains(err.Error(), "s3") || !strings.Contains(err.Error(), "nats://ho") {
			t.Errorf("%s: error %v", url, err)
		}
	}
}

// Credentials are rotated while processes run: refused ones must not end a connection for good.
func TestRefusedCredentialsAreTriedAgain(t *testing.T) {
	t.Parallel()
	token := "old"
	s := natstest.Start(t, func(o *server.Options) { o.Authorization = token })
	c := connectTo(t, jetstream.Options{URL: strings.Replace(s.URL(), "://", "://new@", 1)})
	if err := c.Wait(shortly(t)); err == nil || !strings.Contains(strings.ToLower(err.Error()), "authorization") {
		t.Errorf("error %v, want one about the authorization", err)
	}
	s.Stop()
	token = "new"
	s.Restart()
	jstest.Must(t, c.Wait(jstest.Context(t)))
}

// lockedBuffer is a log that several goroutines write and the test reads.
type lockedBuffer struct {
	mu  sync.Mutex
	all bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.all.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.all.String()
}

func TestAnOutageIsTwoLinesInTheLogAndAnEndIsNone(t *testing.T) {
	t.Parallel()
	s := natstest.Start(t, func(o *server.Options) { o.Authorization = "secret" })
	var said lockedBuffer
	c := connectTo(t, jetstream.Options{
		URL: strings.Replace(s.URL(), "://", "://secret@", 1), Logger: slog.New(slog.NewTextHandler(&said, nil)),
	})
	jstest.Must(t, c.Wait(jstest.Context(t)))
	for range 2 {
		s.Stop()
		jstest.Await(t, "the outage is noticed", func() bool { return !c.Conn().IsConnected() })
		s.Restart()
		jstest.Must(t, c.Wait(jstest.Context(t)))
	}
	jstest.Await(t, "both outages have ended", func() bool { return strings.Count(said.String(), "NATS is back") == 2 })
	c.Close()
	if log := said.String(); strings.Count(log, "NATS is away") != 2 || strings.Contains(log, "secret") {
		t.Errorf("the log is:\n%s", log)
	}
}
