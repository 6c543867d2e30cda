package dataplane

import (
	"context"
	"net"
	"net/http"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/ingress"
)

// Server is an Ingress with its HTTP server. It is the Part of cmd/ingress.
type Server struct {
	*Ingress
	http     *http.Server
	listener net.Listener
}

// NewServer returns a server that does not serve yet.
func NewServer(i *Ingress, listener net.Listener) *Server {
	return &Server{Ingress: i, http: ingress.Server(i, 0), listener: listener}
}

// Serve takes requests until Drain.
func (s *Server) Serve() error { return s.http.Serve(s.listener) }

// Drain takes no more requests, and answers those that are there until ctx ends.
func (s *Server) Drain(ctx context.Context) {
	if err := s.http.Shutdown(ctx); err != nil {
		_ = s.http.Close()
	}
}
