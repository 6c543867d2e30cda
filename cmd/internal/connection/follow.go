package connection

import (
	"context"
	"log/slog"
	"maps"
	"math/rand/v2"
	"time"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/config"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/loop"
)

const (
	// lookEvery is how often the folders are compared with what is in use.
	lookEvery = 10 * time.Second
	// trial bounds how long a changed connection is tried.
	trial = 10 * time.Second
	// stagger is the longest time between the change and the end of a process. Replicas on one node see a change at the same
	// moment; each chooses a time of its own, so that as a rule they do not all end together.
	stagger = 30 * time.Second
)

// Follower is a process that follows its Mounted connection.
type Follower struct {
	Client *jetstream.Client
	Logger *slog.Logger
	// Restart ends the process in good order, to be started again.
	Restart func()
	// Every, Trial and Stagger are times of the package's own when Every is zero.
	Every, Trial, Stagger time.Duration
}

// Follow acts on every change of the folders until ctx ends. A connection is given up only for one that works: each change is
// tried first, and one that fails is logged and tried again. Renewed credentials and certificates are taken over by the
// connections as they are; when NATS is elsewhere the process ends, because nothing that it holds is true there.
func (m *Mounted) Follow(ctx context.Context, f Follower) {
	if f.Every == 0 {
		f.Every, f.Trial, f.Stagger = lookEvery, trial, stagger
	}
	tick := time.NewTicker(f.Every)
	defer tick.Stop()
	var failure loop.Failure
	for {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
		now, rotation, err := m.look(ctx, f.Trial)
		if ctx.Err() != nil {
			return
		}
		if failure.IsNew(err) {
			f.Logger.Warn("the connection to NATS as configured now does not work; the one from before stays", "error", err)
		}
		switch {
		case err != nil:
		case rotation == config.Renewed:
			f.Logger.Info("credentials for NATS were renewed; connecting again with them")
			f.Client.Renew()
			m.inUse = now
		case rotation == config.Moved:
			f.Logger.Info("the connection to NATS was changed; ending soon, to be started again with it")
			f.endStaggered(ctx)
			return
		}
	}
}

// look says what has changed, if it has been seen to work.
func (m *Mounted) look(ctx context.Context, trial time.Duration) (map[string]string, config.Rotation, error) {
	now, err := m.folders.Contents()
	if err != nil {
		return nil, config.Unchanged, err
	}
	rotation := config.RotationOf(m.inUse, now)
	if rotation == config.Unchanged {
		return now, rotation, nil
	}
	options, err := m.options()
	if err != nil {
		return nil, rotation, err
	}
	ctx, cancel := context.WithTimeout(ctx, trial)
	defer cancel()
	if err := try(ctx, options); err != nil {
		return nil, rotation, err
	}
	// What was read may be half of a change, and what was tried more of it. Then the next look sees the whole.
	if after, err := m.folders.Contents(); err != nil || !maps.Equal(now, after) {
		return nil, config.Unchanged, err
	}
	return now, rotation, nil
}

// endStaggered waits only as long as the process is of use where it is.
func (f Follower) endStaggered(ctx context.Context) {
	wait := time.NewTimer(rand.N(f.Stagger + 1))
	defer wait.Stop()
	check := time.NewTicker(f.Every)
	defer check.Stop()
	for waiting := true; waiting && f.Client.Connected(); {
		select {
		case <-wait.C:
			waiting = false
		case <-check.C:
		case <-ctx.Done():
			return
		}
	}
	f.Restart()
}

// try reports why NATS cannot be used with the options, or nil: it connects, looks whether NATS has what is needed, and leaves.
func try(ctx context.Context, o jetstream.Options) error {
	o.Logger = slog.New(slog.DiscardHandler) // the caller says what the answer means
	c, err := jetstream.Connect(o)
	if err != nil {
		return err
	}
	defer c.Close()
	return c.Wait(ctx)
}
