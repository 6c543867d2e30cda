// Package embedded runs a NATS server with JetStream inside this process, on a store that it locks.
package embedded

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/gofrs/flock"
	"github.com/nats-io/nats-server/v2/server"
)

// ErrStoreInUse means that another process has the store open; the message says which.
var ErrStoreInUse = errors.New("the store is in use")

// startBudget bounds how long the server may take to come up, the recovery of its store included.
const startBudget = 60 * time.Second

// Options configure the server.
type Options struct {
	// Store is the directory that holds streams, buckets and the lock.
	Store string
	// SyncAlways writes every event to the disk before it is acknowledged. Without it a power cut, but no crash of the
	// process, may take what was accepted in the last two minutes.
	SyncAlways bool
	// Holder is what the lock file says of this process, for whoever finds the store locked.
	Holder string
}

// Server is a running server. Other processes of this machine reach it at the URL in the store's file nats.url.
type Server struct {
	nats *server.Server
	lock *flock.Flock
	url  string
	file string
}

// Start locks the store and starts the server on it.
// Errors: ErrStoreInUse; a store that cannot be written; a server that does not come up before ctx ends or in 60 s.
func Start(ctx context.Context, o Options) (*Server, error) {
	if err := os.MkdirAll(o.Store, 0o700); err != nil {
		return nil, fmt.Errorf("make the store: %w", err)
	}
	lock, err := lockStore(o)
	if err != nil {
		return nil, err
	}
	s := &Server{lock: lock, file: URLFile(o.Store)}
	if err := s.start(ctx, o); err != nil {
		s.Stop()
		return nil, err
	}
	return s, nil
}

// URLFile is the file that holds the URL, with its secret token, of the server that has the store open.
func URLFile(store string) string { return filepath.Join(store, "nats.url") }

func lockStore(o Options) (*flock.Flock, error) {
	path := filepath.Join(o.Store, "lock")
	holder := path + ".holder"
	lock := flock.New(path, flock.SetPermissions(0o600))
	locked, err := lock.TryLock()
	if err != nil {
		return nil, fmt.Errorf("lock the store: %w", err)
	}
	if !locked {
		who, _ := os.ReadFile(holder) //nolint:gosec // the path is ours
		return nil, fmt.Errorf("%w: %s is held by %s", ErrStoreInUse, o.Store, strings.TrimSpace(string(who)))
	}
	if err := os.WriteFile(holder, []byte(o.Holder+"\n"), 0o600); err != nil {
		return nil, errors.Join(fmt.Errorf("lock the store: %w", err), lock.Unlock())
	}
	return lock, nil
}

func (s *Server) start(ctx context.Context, o Options) error {
	token := rand.Text()
	options := &server.Options{
		ServerName: "kn-jetstream", Host: "127.0.0.1", Port: server.RANDOM_PORT, Authorization: token,
		JetStream: true, StoreDir: o.Store, SyncAlways: o.SyncAlways,
		NoLog: true, NoSigs: true, MaxPayload: server.MAX_PAYLOAD_SIZE,
	}
	var err error
	if s.nats, err = server.NewServer(options); err != nil {
		return fmt.Errorf("start NATS: %w", err)
	}
	s.nats.Start()
	if !s.nats.ReadyForConnections(budget(ctx)) {
		return fmt.Errorf("start NATS: it did not come up on the store %s in time", o.Store)
	}
	port := s.nats.Addr().(*net.TCPAddr).Port
	s.url = fmt.Sprintf("nats://%s@127.0.0.1:%d", token, port)
	return s.writeURL()
}

// writeURL writes a new file and never into one that is there: that may be open to others. It holds a secret.
func (s *Server) writeURL() error {
	file, err := os.CreateTemp(filepath.Dir(s.file), "nats.url.*") // with permissions 0600
	if err != nil {
		return fmt.Errorf("write %s: %w", s.file, err)
	}
	_, err = file.WriteString(s.url + "\n")
	if err = errors.Join(err, file.Close()); err == nil {
		err = os.Rename(file.Name(), s.file)
	}
	if err != nil {
		_ = os.Remove(file.Name())
		return fmt.Errorf("write %s: %w", s.file, err)
	}
	return nil
}

func budget(ctx context.Context) time.Duration {
	if deadline, ok := ctx.Deadline(); ok {
		return min(startBudget, time.Until(deadline))
	}
	return startBudget
}

// InProcessConn connects without a socket; it makes the server a nats.InProcessConnProvider.
func (s *Server) InProcessConn() (net.Conn, error) { return s.nats.InProcessConn() }

// URL is the server's address on the loopback interface, with its token.
func (s *Server) URL() string { return s.url }

// Stop ends the server, waits for it, and unlocks the store.
func (s *Server) Stop() {
	if s.nats != nil {
		s.nats.Shutdown()
		s.nats.WaitForShutdown()
	}
	_ = os.Remove(s.file) // a stale file names a server that does not answer
	_ = s.lock.Unlock()   // ends with the process at the latest
}
