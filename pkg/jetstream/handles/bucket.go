package handles

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	natsjs "github.com/nats-io/nats.go/jetstream"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/buckets"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/naming"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/route"
)

// Handles are those of one NATS. It is owner.Handles. Safe for concurrent use.
type Handles struct{ client *jetstream.Client }

// New returns the handles that this client's NATS has.
func New(c *jetstream.Client) Handles { return Handles{c} }

// Merge enters in the target what its handle, or else that of its address, says. An annotation goes first.
func (h Handles) Merge(ctx context.Context, t *route.Target) error {
	if t.PausedByHandle {
		t.Paused, t.PausedByHandle, t.PausedSince = "", false, time.Time{}
	}
	if t.Paused != "" {
		return nil
	}
	bucket, err := h.open(ctx)
	if errors.Is(err, natsjs.ErrBucketNotFound) {
		return nil // nobody has paused anything
	}
	if err != nil {
		return err
	}
	with := "its Broker is paused: "
	if t.Key.Address.Kind == route.KindChannel {
		with = "its Channel is paused: "
	}
	for _, from := range []struct{ key, before string }{{naming.TargetKey(t.Key), ""}, {naming.AddressKey(t.Key.Address), with}} {
		found, err := read(ctx, bucket, from.key)
		if err != nil {
			return err
		}
		if found.Paused != "" {
			t.Paused, t.PausedByHandle, t.PausedSince = from.before+found.Paused, true, found.Since
			return nil
		}
	}
	return nil
}

// ReplayKey is the key of a replay for the target with this key of the routes bucket (see package replay).
func ReplayKey(key string) string { return "replay." + key }

// Forget removes the handle with this key of the routes bucket, and a replay that was not finished.
func (h Handles) Forget(ctx context.Context, key string) error {
	return errors.Join(h.remove(ctx, key), h.remove(ctx, ReplayKey(key)))
}

func (h Handles) remove(ctx context.Context, key string) error {
	bucket, err := h.open(ctx)
	if errors.Is(err, natsjs.ErrBucketNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	if _, err := bucket.Get(ctx, key); errors.Is(err, natsjs.ErrKeyNotFound) {
		return nil // a mark would take room for nothing
	}
	if err := bucket.Purge(ctx, key, natsjs.PurgeTTL(buckets.PositionMarkerTTL)); err != nil {
		return fmt.Errorf("remove handle %s: %w", key, err)
	}
	return nil
}

// read returns the handle with this key; the zero one when there is none.
func read(ctx context.Context, bucket natsjs.KeyValue, key string) (buckets.Handle, error) {
	entry, err := bucket.Get(ctx, key)
	switch {
	case errors.Is(err, natsjs.ErrKeyNotFound):
		return buckets.Handle{}, nil
	case err != nil:
		return buckets.Handle{}, fmt.Errorf("read handle %s: %w", key, err)
	}
	return buckets.DecodeHandle(entry)
}

// pause puts a handle at the key, and makes the bucket if there is none. Who is paused already stays paused since then.
func (h Handles) pause(ctx context.Context, key, why string) error {
	if err := buckets.EnsureHandles(ctx, h.client); err != nil {
		return err
	}
	bucket, err := h.open(ctx)
	if err != nil {
		return err
	}
	wanted, err := read(ctx, bucket, key)
	if err != nil {
		return err
	}
	if wanted.Paused == "" {
		wanted.Since = h.client.Timing().Now().UTC().Truncate(time.Second)
	}
	wanted.Paused = why
	data, err := json.Marshal(wanted)
	if err != nil {
		return err
	}
	if _, err := bucket.Put(ctx, key, data); err != nil {
		return fmt.Errorf("write handle %s: %w", key, err)
	}
	return nil
}

func (h Handles) open(ctx context.Context) (natsjs.KeyValue, error) {
	bucket, err := h.client.JetStream().KeyValue(ctx, buckets.Handles(h.client))
	if err != nil {
		return nil, fmt.Errorf("open bucket %s: %w", buckets.Handles(h.client), err)
	}
	return bucket, nil
}
