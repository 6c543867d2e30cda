package config_test

import (
	"context"
	"maps"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/config"
)

// project writes the keys as the kubelet does: into a folder of their own, which ..data leads to; then it swaps that link.
func project(t *testing.T, folder, version string, keys map[string]string) {
	t.Helper()
	held := filepath.Join(folder, ".."+version)
	if err := os.Mkdir(held, 0o700); err != nil {
		t.Fatal(err)
	}
	for key, value := range keys {
		write(t, held, key, value)
		if err := os.Symlink(filepath.Join("..data", key), filepath.Join(folder, key)); err != nil && !os.IsExist(err) {
			t.Fatal(err)
		}
	}
	next := filepath.Join(folder, "..data_tmp")
	if err := os.Symlink(".."+version, next); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(next, filepath.Join(folder, "..data")); err != nil {
		t.Fatal(err)
	}
}

func TestFolderIsReadAsTheKubeletMountsIt(t *testing.T) {
	folder := t.TempDir()
	want := map[string]string{"a": "1", "b": "2\n"}
	project(t, folder, "first", want)
	got, err := config.Folder(folder).Read()
	if err != nil || !maps.Equal(got, want) {
		t.Errorf("%v, %v; want %v", got, err, want)
	}
	for _, missing := range []string{"", filepath.Join(folder, "missing")} {
		if got, err := config.Folder(missing).Read(); err != nil || len(got) > 0 {
			t.Errorf("folder %q: %v, %v", missing, got, err)
		}
	}
}

func TestFollowSeesWhatTheKubeletSwaps(t *testing.T) {
	for _, row := range []struct {
		name   string
		follow func(config.Folder, context.Context, time.Duration, map[string]string, func(map[string]string, error))
		every  time.Duration
	}{
		{"by looking often", config.Folder.Follow, time.Millisecond},
		{"by being told", config.Folder.FollowClosely, time.Hour},
	} {
		t.Run(row.name, func(t *testing.T) {
			folder := t.TempDir()
			first, second := map[string]string{"a": "1"}, map[string]string{"a": "2", "b": "new"}
			project(t, folder, "first", first)
			ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
			defer cancel()
			seen := make(chan map[string]string)
			ended := make(chan struct{})
			go func() {
				defer close(ended)
				row.follow(config.Folder(folder), ctx, row.every, map[string]string{}, func(held map[string]string, err error) {
					if err != nil {
						t.Error(err)
					}
					select {
					case seen <- held:
					case <-ctx.Done():
					}
				})
			}()
			awaitHeld(ctx, t, seen, first) // from now on it looks only when it is told, or often
			project(t, folder, "second", second)
			awaitHeld(ctx, t, seen, second)
			cancel()
			<-ended
		})
	}
}

// awaitHeld returns when this is seen. What is seen before that is of a look between a new link and the swap.
func awaitHeld(ctx context.Context, t *testing.T, seen <-chan map[string]string, want map[string]string) {
	t.Helper()
	var got map[string]string
	for !maps.Equal(got, want) {
		select {
		case got = <-seen:
		case <-ctx.Done():
			t.Fatalf("it stays at %v, want %v", got, want)
		}
	}
}
