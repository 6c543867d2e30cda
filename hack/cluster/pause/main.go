// Command pause holds a pod's namespaces open: it waits to be told to end. The local cluster has no registry of the world's
// images to take the usual one from.
package main

import (
	"context"
	"os/signal"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	<-ctx.Done()
}
