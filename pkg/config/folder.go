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
	tick := time.NewTicker(every)
	defer tick.Stop()
	var failure loop.Failure
	for {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
		now, err := f.Read()
		if failure.IsNew(err) {
			changed(nil, err)
		}
		if err == nil && !maps.Equal(before, now) {
			before = now
			changed(now, nil)
		}
	}
}
