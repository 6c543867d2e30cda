package buckets

import (
	"context"
	"fmt"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream"
)

// Handles returns the name of the bucket of handles (see package handles).
func Handles(c *jetstream.Client) string { return c.Names().Prefix() + "_handles" }

// EnsureHandles makes the bucket of handles, for a command that is about to write one.
func EnsureHandles(ctx context.Context, c *jetstream.Client) error {
	_, err := ensureBucket(ctx, c, config{
		name: Handles(c), description: "what operators want of single addresses and targets", markerTTL: PositionMarkerTTL,
	})
	if err != nil {
		return fmt.Errorf("make bucket %s: %w", Handles(c), err)
	}
	return nil
}
