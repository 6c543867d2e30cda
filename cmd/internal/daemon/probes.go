package daemon

import (
	"context"
	"net"
	"net/http"
	"time"

	"github.com/oklog/run"
)

// probeTimeout bounds one probe request.
const probeTimeout = 5 * time.Second

// serveProbes adds a server to the group, unless the address is empty: /healthz answers 200,
// /readyz 200 while ready returns true, else 503.
func serveProbes(ctx context.Context, group *run.Group, listen string, ready func() bool) error {
	if listen == "" {
		return nil
	}
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", listen)
	if err != nil {
		return err
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(http.ResponseWriter, *http.Request) {})
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, _ *http.Request) {
		if !ready() {
			http.Error(w, "not ready", http.StatusServiceUnavailable)
		}
	})
	server := &http.Server{Handler: mux, ReadTimeout: probeTimeout, WriteTimeout: probeTimeout, MaxHeaderBytes: 8 << 10}
	group.Add(func() error { return server.Serve(listener) }, func(error) { _ = server.Close() })
	return nil
}
