package config

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"strings"
)

// NATS says how to reach NATS. All but URL and Prefix are paths of files; "" is one that is not there.
type NATS struct {
	URL, Prefix                string
	Creds, NKey, CA, Cert, Key string
}

// Names of the files in the two folders: the keys of the ConfigMap and of the Secret that are mounted there.
const (
	natsURL    = "url"
	natsPrefix = "prefix"
	natsCreds  = "creds"
	natsNKey   = "nkey"
	natsCA     = "ca.crt"
	natsCert   = "tls.crt"
	natsKey    = "tls.key"
)

// NATSFolders are where the ConfigMap and the Secret with the connection to NATS are mounted. Credentials may be empty, or
// a folder that does not exist: a NATS without authentication needs none.
type NATSFolders struct {
	Config, Credentials string
}

// DefaultNATSURL is where NATS is when the ConfigMap has no key that says so: the one of config/nats. The YAML that is applied
// leaves the key out, so that applying it again, for an upgrade, changes nobody's URL.
const DefaultNATSURL = "nats://eventing-jetstream-nats.knative-eventing.svc:4222"

// Read returns what the folders hold now.
// Errors: there is no folder Config; a URL that is empty; a file that cannot be read.
func (f NATSFolders) Read() (NATS, error) {
	var n NATS
	var err error
	if _, err := os.Stat(f.Config); err != nil {
		return NATS{}, err
	}
	if n.URL, err = readLine(filepath.Join(f.Config, natsURL), DefaultNATSURL); err != nil {
		return NATS{}, err
	}
	if n.URL == "" {
		return NATS{}, fmt.Errorf("%s: the URL of NATS is missing", filepath.Join(f.Config, natsURL))
	}
	if n.Prefix, err = readLine(filepath.Join(f.Config, natsPrefix), ""); err != nil {
		return NATS{}, err
	}
	for name, path := range map[string]*string{
		natsCreds: &n.Creds, natsNKey: &n.NKey, natsCA: &n.CA, natsCert: &n.Cert, natsKey: &n.Key,
	} {
		if *path, err = f.credential(name); err != nil {
			return NATS{}, err
		}
	}
	return n, nil
}

// Contents returns every file of the connection with its content, to tell whether something was rotated.
func (f NATSFolders) Contents() (map[string]string, error) {
	contents := map[string]string{}
	for _, path := range f.paths() {
		data, err := os.ReadFile(path)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
		if err == nil {
			contents[path] = string(data)
		}
	}
	return contents, nil
}

func (f NATSFolders) paths() []string {
	paths := []string{filepath.Join(f.Config, natsURL), filepath.Join(f.Config, natsPrefix)}
	if f.Credentials == "" {
		return paths
	}
	for _, name := range []string{natsCreds, natsNKey, natsCA, natsCert, natsKey} {
		paths = append(paths, filepath.Join(f.Credentials, name))
	}
	return paths
}

// Rotation is what a change of the folders' contents asks for.
type Rotation int

// Rotations, from the least to the most.
const (
	// Unchanged asks for nothing.
	Unchanged Rotation = iota
	// Renewed asks to connect once more: it is the same NATS, and the files that are read at each connect have other contents.
	Renewed
	// Moved asks for a new start: NATS is elsewhere, or it is proved in another way who we are.
	Moved
)

// RotationOf compares the contents of before and now. A credentials file or certificate in the place of another is a renewal;
// one that came or went is not, and neither is another NKey, which is another user.
func RotationOf(before, now map[string]string) Rotation {
	if maps.Equal(before, now) {
		return Unchanged
	}
	for path, content := range now {
		old, had := before[path]
		switch name := filepath.Base(path); {
		case !had:
			return Moved
		case old != content && (name == natsURL || name == natsPrefix || name == natsNKey):
			return Moved
		}
	}
	if len(before) != len(now) {
		return Moved
	}
	return Renewed
}

func (f NATSFolders) credential(name string) (string, error) {
	if f.Credentials == "" {
		return "", nil
	}
	path := filepath.Join(f.Credentials, name)
	_, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	return path, err
}

// readLine returns a file's text without the white space around it, and otherwise when there is no such file.
func readLine(path, otherwise string) (string, error) {
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return otherwise, nil
	}
	return strings.TrimSpace(string(data)), err
}
