package manifest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// brokerYAML is a file's content: one Broker for each name.
func brokerYAML(names ...string) string {
	var out strings.Builder
	for _, name := range names {
		fmt.Fprintf(&out, "apiVersion: eventing.knative.dev/v1\nkind: Broker\nmetadata:\n  name: %s\n---\n", name)
	}
	return out.String()
}

func put(t *testing.T, path, content string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// follow watches the paths until the test ends and returns what arrives.
func follow(t *testing.T, paths ...string) <-chan Update {
	t.Helper()
	known, err := Load(paths, LoadOptions{})
	must(t, err)
	return start(t, func(ctx context.Context, apply func(Update)) { Watch(ctx, known, apply) })
}

func start(t *testing.T, watch func(context.Context, func(Update))) <-chan Update {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	updates := make(chan Update, 100)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		watch(ctx, func(u Update) { updates <- u })
	}()
	t.Cleanup(func() { cancel(); <-ended })
	return updates
}

func next(t *testing.T, updates <-chan Update) Update {
	t.Helper()
	select {
	case u := <-updates:
		return u
	case <-time.After(10 * time.Second):
		t.Fatal("no update within 10 s")
		return Update{}
	}
}

// await waits until the watched files hold exactly these Brokers. A slow machine may see the steps of a change one by one.
func await(t *testing.T, updates <-chan Update, names ...string) {
	t.Helper()
	for {
		if u := next(t, updates); u.Err == nil && strings.Join(brokerNames(u), " ") == strings.Join(names, " ") {
			return
		}
	}
}

func brokerNames(u Update) (names []string) {
	for _, address := range u.Resources.Desired().Addresses {
		names = append(names, address.Key.Name)
	}
	return names
}

// wantBrokers demands that the update holds these Brokers.
func wantBrokers(t *testing.T, u Update, names ...string) {
	t.Helper()
	must(t, u.Err)
	if got := brokerNames(u); strings.Join(got, " ") != strings.Join(names, " ") {
		t.Fatalf("brokers %q, want %q", got, names)
	}
}

func TestWatchSeesWhatEditorsDo(t *testing.T) {
	tests := []struct {
		name   string
		change func(t *testing.T, dir, file string)
		want   []string
	}{
		{"written in place", func(t *testing.T, _, file string) {
			put(t, file, brokerYAML("b"))
		}, []string{"b"}},
		{"renamed over", func(t *testing.T, dir, file string) {
			put(t, filepath.Join(dir, ".new"), brokerYAML("b"))
			must(t, os.Rename(filepath.Join(dir, ".new"), file))
		}, []string{"b"}},
		{"moved away and written anew", func(t *testing.T, _, file string) {
			must(t, os.Rename(file, file+"~"))
			put(t, file, brokerYAML("b"))
		}, []string{"b"}},
		{"deleted and recreated", func(t *testing.T, _, file string) {
			must(t, os.Remove(file))
			put(t, file, brokerYAML("b"))
		}, []string{"b"}},
		{"a second file", func(t *testing.T, dir, _ string) {
			put(t, filepath.Join(dir, "g.yaml"), brokerYAML("b"))
		}, []string{"a", "b"}},
		{"the only file deleted", func(t *testing.T, _, file string) {
			must(t, os.Remove(file))
		}, nil},
		{"the directory recreated", func(t *testing.T, dir, file string) {
			must(t, os.RemoveAll(dir))
			must(t, os.Mkdir(dir, 0o700))
			put(t, file, brokerYAML("b"))
		}, []string{"b"}},
		{"the directory replaced by another", func(t *testing.T, dir, _ string) {
			other := dir + "-other"
			must(t, os.Mkdir(other, 0o700))
			put(t, filepath.Join(other, "f.yaml"), brokerYAML("b"))
			must(t, os.Rename(dir, dir+"-old"))
			must(t, os.Rename(other, dir))
		}, []string{"b"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			dir := filepath.Join(t.TempDir(), "config")
			must(t, os.Mkdir(dir, 0o700))
			file := filepath.Join(dir, "f.yaml")
			put(t, file, brokerYAML("a"))
			updates := follow(t, dir)
			tt.change(t, dir, file)
			await(t, updates, tt.want...)
			// What was put in place is watched as well.
			must(t, os.WriteFile(filepath.Join(dir, "f.yaml"), []byte(brokerYAML("a", "z")), 0o600))
			must(t, os.RemoveAll(filepath.Join(dir, "g.yaml")))
			await(t, updates, "a", "z")
		})
	}
}

func TestWatchOneFile(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file := filepath.Join(dir, "f.yaml")
	put(t, file, brokerYAML("a"))
	updates := follow(t, file)
	put(t, filepath.Join(dir, "other.yaml"), "nonsense: [")
	put(t, filepath.Join(dir, "new"), brokerYAML("b"))
	must(t, os.Rename(filepath.Join(dir, "new"), file))
	wantBrokers(t, next(t, updates), "b")
}

// A ConfigMap volume: the files are links through ..data, which is swapped.
func TestWatchConfigMapVolume(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for version, name := range map[string]string{"..1": "a", "..2": "b"} {
		must(t, os.Mkdir(filepath.Join(dir, version), 0o700))
		put(t, filepath.Join(dir, version, "f.yaml"), brokerYAML(name))
	}
	must(t, os.Symlink("..1", filepath.Join(dir, "..data")))
	must(t, os.Symlink("..data/f.yaml", filepath.Join(dir, "f.yaml")))
	updates := follow(t, dir)
	must(t, os.Symlink("..2", filepath.Join(dir, "..data_tmp")))
	must(t, os.Rename(filepath.Join(dir, "..data_tmp"), filepath.Join(dir, "..data")))
	wantBrokers(t, next(t, updates), "b")
}

func TestWatchLinkedFileWrittenInPlace(t *testing.T) {
	t.Parallel()
	dir, elsewhere := t.TempDir(), t.TempDir()
	put(t, filepath.Join(elsewhere, "real"), brokerYAML("a"))
	must(t, os.Symlink(filepath.Join(elsewhere, "real"), filepath.Join(dir, "f.yaml")))
	updates := follow(t, dir)
	put(t, filepath.Join(elsewhere, "real"), brokerYAML("b"))
	wantBrokers(t, next(t, updates), "b")
}

func TestWatchBadThenGood(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "f.yaml")
	put(t, file, brokerYAML("a"))
	updates := follow(t, file)

	put(t, file, "kind: Broker\napiVersion: nonsense\n")
	var wrong *FileError
	if u := next(t, updates); u.Resources != nil || !errors.As(u.Err, &wrong) || wrong.Line != 2 || wrong.File != file {
		t.Fatalf("update: %+v", u)
	}
	must(t, os.Remove(file))
	if u := next(t, updates); u.Resources != nil || !errors.Is(u.Err, os.ErrNotExist) {
		t.Fatalf("update: %+v", u)
	}
	// Back to what it was: an update all the same, since the last one was an error.
	put(t, file, brokerYAML("a"))
	wantBrokers(t, next(t, updates), "a")
}

// A file that is written in steps may show as an error in between, but never as its valid beginning.
func TestWatchPartialWrite(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "f.yaml")
	put(t, file, brokerYAML("a"))
	updates := follow(t, file)

	whole := brokerYAML("b", "c")
	out, err := os.Create(file)
	must(t, err)
	defer out.Close()
	_, err = out.WriteString(whole[:len(whole)-8])
	must(t, err)
	if u := next(t, updates); u.Err == nil {
		t.Fatalf("update from a part of the file: %+v", u.Resources.Desired())
	}
	_, err = out.WriteString(whole[len(whole)-8:])
	must(t, err)
	wantBrokers(t, next(t, updates), "b", "c")
}

// Steps that follow each other within the quiet time are one change.
func TestWatchWaitsForStillness(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "f.yaml")
	put(t, file, brokerYAML("a"))
	known, err := Load([]string{file}, LoadOptions{})
	must(t, err)
	// A quiet time that no scheduling delay of this test comes near.
	w := watcher{quiet: 2 * time.Second, poll: pollInterval, paths: known.paths, last: known.digest}
	updates := start(t, w.run)
	put(t, file, "half")
	put(t, file, brokerYAML("b"))
	put(t, file, brokerYAML("c"))
	wantBrokers(t, next(t, updates), "c")
}

func TestWatchIdenticalContentIsNoUpdate(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "f.yaml")
	put(t, file, brokerYAML("a"))
	known, err := Load([]string{file}, LoadOptions{})
	must(t, err)
	w := watcher{paths: known.paths, last: known.digest, seen: fingerprint{}}
	put(t, file+".new", brokerYAML("a"))
	must(t, os.Rename(file+".new", file))
	if !w.changed() {
		t.Fatal("the replaced file was not noticed")
	}
	if update, done := w.check(); update != nil || !done {
		t.Errorf("check: %+v, %v", update, done)
	}
}

// What changed between Load and Watch is not lost.
func TestWatchSeesChangesSinceLoad(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "f.yaml")
	put(t, file, brokerYAML("a"))
	known, err := Load([]string{file}, LoadOptions{})
	must(t, err)
	put(t, file, brokerYAML("b"))
	updates := start(t, func(ctx context.Context, apply func(Update)) { Watch(ctx, known, apply) })
	wantBrokers(t, next(t, updates), "b")
}

func TestWatchWithoutNotifications(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "f.yaml")
	put(t, file, brokerYAML("a"))
	known, err := Load([]string{file}, LoadOptions{})
	must(t, err)
	w := watcher{quiet: quietTime, poll: pollInterval, paths: known.paths, last: known.digest}
	updates := start(t, func(ctx context.Context, apply func(Update)) { w.loop(ctx, nil, apply) })
	put(t, file, brokerYAML("longer"))
	wantBrokers(t, next(t, updates), "longer")
}

// Without notifications a change is found at the next poll and applied a quiet time later: a second at most, as promised.
func TestWatchKeepsItsPromise(t *testing.T) {
	if longest := pollInterval + quietTime; longest >= time.Second {
		t.Errorf("a change may take %v", longest)
	}
}

// A file beside ours that is written all the time must not put our change off.
func TestWatchIsNotHeldUpByOtherFiles(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file := filepath.Join(dir, "f.yaml")
	put(t, file, brokerYAML("a"))
	updates := follow(t, dir)
	stop, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		for i := 0; ; i++ {
			select {
			case <-stop:
				return
			case <-time.After(10 * time.Millisecond):
				_ = os.WriteFile(filepath.Join(dir, "busy.log"), []byte(fmt.Sprint(i)), 0o600)
			}
		}
	}()
	defer func() { close(stop); <-ended }()
	put(t, file, brokerYAML("b"))
	wantBrokers(t, next(t, updates), "b")
}
