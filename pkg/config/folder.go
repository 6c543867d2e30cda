package config

import (
	"context"
	"errors"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/loop"
	"github.com/fsnotify/fsnotify"
)

// Folder is where a ConfigMap is mounted: a file for each key. "" is a folder that is not there.
type Folder string

// Read returns the keys and their values. A folder that does not exist has none: such a ConfigMap is optional.
func (f Folder) Read() (map[string]string, error) {
	held := map[string]string{}
	if f == "" {
		return held, nil
	}
	entries, err := os.ReadDir(string(f))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	for _, entry := range entries {
		// The kubelet keeps the files in a folder of its own, "..data" leads to it, and each key is a link through that.
		// A key that goes is a link to nothing for a moment.
		data, err := os.ReadFile(filepath.Join(string(f), entry.Name()))
		if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.EISDIR) {
			continue
		}
		if err != nil {
			return nil, err
		}
		held[entry.Name()] = string(data)
	}
	return held, nil
}

// Follow calls changed with what the folder holds whenever that is something else than before, and with an error when it
// cannot be read any more, until ctx ends. It looks every so often: what is mounted is late by up to a minute anyway.
func (f Folder) Follow(ctx context.Context, every time.Duration, before map[string]string, changed func(map[string]string, error)) {
	follower{folder: f, before: before, changed: changed}.run(ctx, every, nil)
}

// FollowClosely is Follow that looks at once when the system says that something in the folder has changed. It looks every so often
// besides: there may be no folder yet, or nobody who says so.
func (f Folder) FollowClosely(ctx context.Context, every time.Duration, before map[string]string, changed func(map[string]string, error)) {
	follow := follower{folder: f, before: before, changed: changed}
	if f == "" {
		follow.run(ctx, every, nil)
		return
	}
	notify, err := fsnotify.NewWatcher()
	if err != nil {
		follow.run(ctx, every, nil)
		return
	}
	defer func() { _ = notify.Close() }()
	follow.run(ctx, every, notify)
}

// follower is what Follow knows of a folder.
type follower struct {
	folder  Folder
	before  map[string]string
	failure loop.Failure
	changed func(map[string]string, error)
}

// run works without notifications, and without a folder, too: then it only looks every so often.
func (f follower) run(ctx context.Context, every time.Duration, notify *fsnotify.Watcher) {
	var events <-chan fsnotify.Event
	var failures <-chan error
	if notify != nil {
		events, failures = notify.Events, notify.Errors
	}
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		if notify != nil && len(notify.WatchList()) == 0 {
			_ = notify.Add(string(f.folder)) // again at the next look, if there is none yet
		}
		f.look()
		select {
		case <-tick.C:
		case <-events:
		case <-failures: //nolint:errcheck // notifications were lost: then it looks, too
		case <-ctx.Done():
			return
		}
	}
}

func (f *follower) look() {
	now, err := f.folder.Read()
	if f.failure.IsNew(err) {
		f.changed(nil, err)
	}
	if err == nil && !maps.Equal(f.before, now) {
		f.before = now
		f.changed(now, nil)
	}
}
