// Package natstest runs a real nats-server for tests: in the test's own process, on loopback, with its store in the test's
// temporary folder.
package natstest

import (
	"net"
	"strconv"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
)

// Server is a nats-server that a test can stop and start again on the same port and store.
type Server struct {
	t     testing.TB
	store string
	port  int
	nats  *server.Server
	conf  func(*server.Options)
}

// Start runs a server until the test ends. configure may be nil.
func Start(t testing.TB, configure func(*server.Options)) *Server {
	t.Helper()
	s := &Server{t: t, store: t.TempDir(), port: server.RANDOM_PORT, conf: configure}
	s.Restart()
	t.Cleanup(s.Stop)
	return s
}

// Restart starts the server again after Stop, with what its store holds.
func (s *Server) Restart() {
	s.t.Helper()
	options := &server.Options{
		Host: "127.0.0.1", Port: s.port, JetStream: true, StoreDir: s.store, NoLog: true, NoSigs: true,
	}
	if s.conf != nil {
		s.conf(options)
	}
	nats, err := server.NewServer(options)
	if err != nil {
		s.t.Fatalf("make nats-server: %v", err)
	}
	nats.Start()
	if !nats.ReadyForConnections(20 * time.Second) {
		s.t.Fatal("nats-server did not come up in 20 s")
	}
	s.nats = nats
	s.port = nats.Addr().(*net.TCPAddr).Port
}

// Stop ends the server and waits until it has let go of its port and store.
func (s *Server) Stop() {
	s.nats.Shutdown()
	s.nats.WaitForShutdown()
}

// URL is where clients connect; it stays the same over restarts.
func (s *Server) URL() string { return "nats://127.0.0.1:" + strconv.Itoa(s.port) }

// NATS is the running server itself, for tests that look inside.
func (s *Server) NATS() *server.Server { return s.nats }
