package main

import (
	"context"
	"fmt"
	"net"
	"os"

	profiles "knative.dev/pkg/observability/runtime"
)

// serveProfiles serves the Go runtime's profiles at an address, until the function that it returns is called; "" serves none.
// Without them the program goes on: whoever asks for them is told.
func serveProfiles(ctx context.Context, address string) (stop func()) {
	if address == "" {
		return func() {}
	}
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", address)
	if err != nil {
		fmt.Fprintln(os.Stderr, "profiles are not served:", err)
		return func() {}
	}
	server := profiles.NewProfilingServer()
	server.SetEnabled(true)
	go func() { _ = server.Serve(listener) }() // it ends with stop
	return func() { _ = server.Close() }
}
