package manifest

import (
	"context"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/fsnotify/fsnotify"
)

const (
	// quietTime is how long files must have been still before they are read: an editor or a copy needs several steps.
	quietTime = 200 * time.Millisecond
	// pollInterval is how often the files' times are looked at besides: notifications do not come from every file system,
	// nor for a directory that is not there yet. Together with quietTime it stays below a second.
	pollInterval = 500 * time.Millisecond
)

// Update is what a change of the files led to.
type Update struct {
	// Resources is the new state; nil when Err is set: then the state before still holds.
	Resources *Resources
	Err       error
}

// Watch follows the files that known was loaded from and returns when ctx ends. It calls apply, one call at a time and from the
// caller's goroutine, when the files have changed, have been still for 200 ms, and do not hold what they held at the last call
// (at first: at known's Load). No goroutine outlives it.
func Watch(ctx context.Context, known *Resources, apply func(Update)) {
	w := watcher{quiet: quietTime, poll: pollInterval, paths: known.paths, input: known.input, options: known.options, last: known.digest}
	w.run(ctx, apply)
}

type watcher struct {
	quiet, poll time.Duration
	paths       []string
	input       input
	options     LoadOptions
	// last is the content that apply has seen, seen the state of the files at the last look.
	last digest
	seen fingerprint
	// notify is nil when the system has no notifications to give.
	notify *fsnotify.Watcher
}

func (w *watcher) run(ctx context.Context, apply func(Update)) {
	notify, err := fsnotify.NewWatcher()
	if err != nil {
		w.loop(ctx, nil, apply)
		return
	}
	defer func() { _ = notify.Close() }()
	w.loop(ctx, notify, apply)
}

// loop works without notifications too: then polling alone does it.
func (w *watcher) loop(ctx context.Context, notify *fsnotify.Watcher, apply func(Update)) {
	var events <-chan fsnotify.Event
	var failures <-chan error
	if notify != nil {
		w.notify, events, failures = notify, notify.Events, notify.Errors
	}
	poll := time.NewTicker(w.poll)
	defer poll.Stop()
	w.seen = w.look()
	// The files may have changed since Load.
	still := time.NewTimer(w.quiet)
	defer still.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case event := <-events:
			if w.touched(event.Name) {
				still.Reset(w.quiet)
			}
		case err := <-failures:
			if err != nil { // Notifications were lost, so anything may have changed.
				still.Reset(w.quiet)
			}
		case <-poll.C:
			if w.changed() {
				still.Reset(w.quiet)
			}
		case <-still.C:
			if update, done := w.check(); !done {
				still.Reset(w.quiet)
			} else if update != nil {
				apply(*update)
			}
		}
	}
}

// touched tells whether an event concerns the files. Their directories may hold others that are written all the time, and
// those must not put a change off for ever; what this overlooks, such as a link swapped further up, the next poll finds.
func (w *watcher) touched(name string) bool {
	path := absolute(name)
	directory, base := filepath.Split(path)
	if _, known := w.seen[path]; known {
		return true
	}
	_, given := w.seen[filepath.Clean(directory)]
	// A ConfigMap volume is updated by swapping the link ..data beside the files.
	return given && (isManifest(base) || strings.HasPrefix(base, ".."))
}

// changed looks at the files and reports whether they differ from the last look.
func (w *watcher) changed() bool {
	now := w.look()
	if maps.Equal(now, w.seen) {
		return false
	}
	w.seen = now
	return true
}

// check reads the files. It is not done when they changed meanwhile; the update is nil when there is nothing new in them.
func (w *watcher) check() (update *Update, done bool) {
	w.seen = w.look()
	sources := read(w.paths, w.input)
	if w.changed() {
		return nil, false
	}
	now := digestOf(sources)
	if now == w.last {
		return nil, true
	}
	w.last = now
	resources, err := load(sources, w.options)
	return &Update{Resources: resources, Err: err}, true
}

// fingerprint is the state of the files, by absolute path, without their content. Each file is in it under the path by which
// it was found and under the one that its symbolic links lead to.
type fingerprint map[string]string

// look takes the fingerprint, and asks for notifications from every directory that matters: those given, and those in which
// a file can be replaced.
func (w *watcher) look() fingerprint {
	out := fingerprint{}
	directories := map[string]bool{}
	note := func(path string) {
		path = absolute(path)
		real, err := filepath.EvalSymlinks(path)
		if err != nil {
			real = path
		}
		out[path] = state(real)
		out[real] = out[path]
		directories[filepath.Dir(path)] = true
		directories[filepath.Dir(real)] = true
	}
	for _, path := range w.paths {
		if path == standardInput {
			continue
		}
		note(path)
		if isDirectory(path) {
			directories[absolute(path)] = true
		}
	}
	for _, source := range list(w.paths) {
		if source.path == standardInput {
			continue
		}
		note(source.path)
	}
	w.watch(directories)
	return out
}

// state tells one version of a file from the next: another one put in its place differs in size or time.
func state(path string) string {
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return "missing"
	case info.IsDir():
		// Its time changes with every file in it, also with those that are not ours.
		return path + " directory"
	}
	return fmt.Sprintf("%s %v %d %d", path, info.Mode(), info.Size(), info.ModTime().UnixNano())
}

// watch asks for notifications, again for directories that have them: one that was deleted and made again needs that. What
// cannot be watched is polled.
func (w *watcher) watch(directories map[string]bool) {
	if w.notify == nil {
		return
	}
	for _, old := range w.notify.WatchList() {
		if !directories[old] {
			_ = w.notify.Remove(old)
		}
	}
	for directory := range directories {
		_ = w.notify.Add(directory)
	}
}
