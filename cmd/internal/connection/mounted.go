// Package connection says how a process reaches NATS, by flags or by mounted folders, waits for NATS, and keeps the process on the
// NATS that the folders name.
package connection

import (
	"cmp"
	"log/slog"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/config"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/naming"
)

// Mounted is the connection to NATS that the folders describe.
type Mounted struct {
	folders config.NATSFolders
	name    string
	// inUse is what the folders held when the connection was made or renewed.
	inUse map[string]string
	first jetstream.Options
}

// Read reads the folders; it connects to nothing. The name is shown in the server's list of connections.
// Errors: a folder without a URL, a file that cannot be read, a prefix that is none.
func Read(folders config.NATSFolders, name string) (*Mounted, error) {
	m := &Mounted{folders: folders, name: name}
	var err error
	if m.inUse, err = folders.Contents(); err != nil {
		return nil, err
	}
	if m.first, err = m.options(); err != nil {
		return nil, err
	}
	return m, nil
}

// Options are for the process's own connection.
func (m *Mounted) Options(logger *slog.Logger) jetstream.Options {
	o := m.first
	o.Logger = logger
	return o
}

// options are what the folders say now.
func (m *Mounted) options() (jetstream.Options, error) {
	n, err := m.folders.Read()
	if err != nil {
		return jetstream.Options{}, err
	}
	names, err := naming.New(cmp.Or(n.Prefix, naming.DefaultPrefix))
	if err != nil {
		return jetstream.Options{}, err
	}
	return jetstream.Options{
		URL: n.URL, Creds: n.Creds, NKey: n.NKey, CA: n.CA, Cert: n.Cert, Key: n.Key, Name: m.name, Names: names,
	}, nil
}
