package buckets

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	natsjs "github.com/nats-io/nats.go/jetstream"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/naming"
)

// Handles returns the name of the bucket of handles (see package handles).
func Handles(c *jetstream.Client) string { return c.Names().Prefix() + "_handles" }

// Handle is what the bucket holds of an address or target, under the key that the routes bucket has for the route.
type Handle struct {
	// Paused is why somebody has paused what the handle is about.
	Paused string    `json:"paused"`
	Since  time.Time `json:"since"`
	// Unreadable is why nothing is known of a handle that is there; nil otherwise.
	Unreadable error `json:"-"`
}

// DecodeHandle reads the handle of an entry.
func DecodeHandle(entry natsjs.KeyValueEntry) (found Handle, err error) {
	if err := json.Unmarshal(entry.Value(), &found); err != nil {
		return Handle{}, fmt.Errorf("read handle %s: %w", entry.Key(), err)
	}
	return found, nil
}

// ReadHandles reads all handles, by their keys.
func ReadHandles(ctx context.Context, c *jetstream.Client) (map[string]Handle, error) {
	all := map[string]Handle{}
	err := c.ReadBucket(ctx, Handles(c), jetstream.BucketRead{Filter: natsjs.AllKeys, Each: func(entry natsjs.KeyValueEntry) {
		if _, err := naming.ParseKey(entry.Key()); err != nil {
			return // a replay's
		}
		found, err := DecodeHandle(entry)
		found.Unreadable = err
		all[entry.Key()] = found
	}})
	if errors.Is(err, natsjs.ErrBucketNotFound) {
		return all, nil // nobody has paused anything
	}
	return all, err
}

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
