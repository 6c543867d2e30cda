package daemon

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/eventing-jetstream/eventing-jetstream/cmd/internal/connection"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/config"
	"github.com/eventing-jetstream/eventing-jetstream/test/natstest"
)

// step is a call of a Part's method, and when it came.
type step struct {
	what string
	at   time.Time
}

// stepped is a Part that notes what is done with it.
type stepped struct {
	begun chan struct{}

	mu    sync.Mutex
	steps []step
}

func (s *stepped) note(what string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.steps = append(s.steps, step{what, time.Now()})
}

func (s *stepped) Run(ctx context.Context) {
	close(s.begun)
	<-ctx.Done()
	s.note("ends")
}

func (s *stepped) Ready() bool           { return true }
func (s *stepped) Leave()                { s.note("leaves") }
func (s *stepped) Drain(context.Context) { s.note("drains") }
func (s *stepped) names() (names []string) {
	for _, one := range s.steps {
		names = append(names, one.what)
	}
	return names
}

func folderOf(t *testing.T, keys map[string]string) string {
	t.Helper()
	folder := t.TempDir()
	for key, value := range keys {
		if err := os.WriteFile(filepath.Join(folder, key), []byte(value), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return folder
}

// The loops beside the part, as for mounted folders, must not end the process before the delay is
// over.
func TestAPartServesUntilTheDelayIsOver(t *testing.T) {
	nats := natstest.Start(t, nil)
	absent := filepath.Join(t.TempDir(), "absent")
	t.Setenv("PROFILING_PORT", "0")
	for name, flags := range map[string]Flags{
		"on a plain machine": {NATS: connection.Flags{URL: nats.URL(), Prefix: "kn"}},
		"in a pod": {
			Folders: config.NATSFolders{Config: folderOf(t, map[string]string{"url": nats.URL()}), Credentials: absent},
			Logging: absent, Observability: absent, Probes: "127.0.0.1:0",
		},
	} {
		t.Run(name, func(t *testing.T) {
			flags.DrainDelay = 300 * time.Millisecond
			p, err := New(t.Context(), "test", flags)
			if err != nil {
				t.Fatal(err)
			}
			defer p.Close(t.Context())
			ctx, stop := context.WithCancel(t.Context())
			defer stop()
			part := &stepped{begun: make(chan struct{})}
			ended := make(chan error)
			go func() { ended <- p.Run(ctx, part) }()
			<-part.begun
			stop()
			if err := <-ended; err != nil {
				t.Errorf("error %v", err)
			}
			if want := []string{"leaves", "ends", "drains"}; !slices.Equal(part.names(), want) {
				t.Fatalf("it %v, want %v", part.names(), want)
			}
			if took := part.steps[1].at.Sub(part.steps[0].at); took < flags.DrainDelay {
				t.Errorf("it ends %s after it leaves, want %s", took, flags.DrainDelay)
			}
		})
	}
}
