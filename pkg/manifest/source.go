package manifest

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Bounds of what one Load reads.
const (
	maxFileBytes = 16 << 20
	maxFiles     = 10_000
)

// source is one file's content, or why it could not be read.
type source struct {
	path string
	data []byte
	err  error
}

// list finds the files that the paths name: a file by itself, whatever its name; of a directory the *.yaml, *.yml and *.json
// files, without its subdirectories (as kubectl does) and without hidden files. A file that is named twice is read once.
func list(paths []string) []source {
	var out []source
	seen := map[string]bool{}
	add := func(s source) {
		if key := absolute(s.path); !seen[key] {
			seen[key] = true
			out = append(out, s)
		}
	}
	for _, path := range paths {
		if path == standardInput {
			add(source{path: path})
			continue
		}
		info, err := os.Stat(path)
		if err != nil || !info.IsDir() {
			add(source{path: path, err: pathless(err)})
			continue
		}
		entries, err := os.ReadDir(path)
		if err != nil {
			add(source{path: path, err: pathless(err)})
		}
		for _, entry := range entries {
			file := filepath.Join(path, entry.Name())
			if isManifest(entry.Name()) && !isDirectory(file) {
				add(source{path: file})
			}
		}
	}
	if len(out) > maxFiles {
		out = append(out[:maxFiles], source{path: out[maxFiles].path, err: fmt.Errorf("more than %d files", maxFiles)})
	}
	return out
}

func isManifest(name string) bool {
	extension := filepath.Ext(name)
	return !strings.HasPrefix(name, ".") && slices.Contains([]string{".yaml", ".yml", ".json"}, extension)
}

// isDirectory follows symbolic links, as ConfigMap volumes are made of them. A broken link is no directory: reading it fails.
func isDirectory(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}

func absolute(path string) string {
	if abs, err := filepath.Abs(path); err == nil {
		return abs
	}
	return filepath.Clean(path)
}

// standardInput is the path that names it, as with kubectl; in errors and notes it is standardInputName.
const (
	standardInput     = "-"
	standardInputName = "standard input"
)

// input is what standard input held. It can be read only once.
type input struct {
	data []byte
	err  error
}

// readInput reads standard input if a path names it.
func readInput(paths []string, from io.Reader) input {
	switch {
	case !slices.Contains(paths, standardInput):
		return input{}
	case from == nil:
		return input{err: errors.New("is not read here")}
	}
	data, err := readBounded(from)
	return input{data, err}
}

// read lists the files and reads each of them.
func read(paths []string, in input) []source {
	sources := list(paths)
	for i := range sources {
		switch {
		case sources[i].path == standardInput:
			sources[i] = source{path: standardInputName, data: in.data, err: in.err}
		case sources[i].err == nil:
			sources[i].data, sources[i].err = readFile(sources[i].path)
		}
	}
	return sources
}

// readFile takes regular files only: a pipe could block for ever, and could not be read again after a change.
func readFile(path string) ([]byte, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, pathless(err)
	}
	if !info.Mode().IsRegular() {
		return nil, errors.New("is not a regular file")
	}
	file, err := os.Open(path)
	if err != nil {
		return nil, pathless(err)
	}
	defer func() { _ = file.Close() }()
	return readBounded(file)
}

func readBounded(from io.Reader) ([]byte, error) {
	data, err := io.ReadAll(io.LimitReader(from, maxFileBytes+1))
	if err != nil {
		return nil, pathless(err)
	}
	if len(data) > maxFileBytes {
		return nil, fmt.Errorf("is larger than %d bytes", maxFileBytes)
	}
	return data, nil
}

// pathless strips the operation and path, which FileError names already.
func pathless(err error) error {
	var withPath *os.PathError
	if errors.As(err, &withPath) {
		return withPath.Err
	}
	return err
}

// digest is equal for equal content under equal names.
type digest [sha256.Size]byte

func digestOf(sources []source) digest {
	hash := sha256.New()
	field := func(data []byte) {
		var length [8]byte
		binary.BigEndian.PutUint64(length[:], uint64(len(data)))
		hash.Write(length[:])
		hash.Write(data)
	}
	for _, s := range sources {
		field([]byte(s.path))
		field(s.data)
		field([]byte(fmt.Sprint(s.err)))
	}
	return digest(hash.Sum(nil))
}
