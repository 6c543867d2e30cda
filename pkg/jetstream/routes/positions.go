package routes

import (
	"context"
	"errors"
	"fmt"

	natsjs "github.com/nats-io/nats.go/jetstream"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream"
)

// Remembered reports whether the positions bucket has a value at the key (see naming.SharedKey).
func Remembered(ctx context.Context, c *jetstream.Client, key string) (bool, error) {
	positions, err := c.JetStream().KeyValue(ctx, c.Names().PositionsBucket())
	if err == nil {
		_, err = positions.Get(ctx, key)
	}
	switch {
	case err == nil:
		return true, nil
	case errors.Is(err, natsjs.ErrBucketNotFound), errors.Is(err, natsjs.ErrKeyNotFound):
		return false, nil
	}
	return false, fmt.Errorf("read bucket %s: %w", c.Names().PositionsBucket(), err)
}
