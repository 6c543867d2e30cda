package owner

import (
	"context"
	"errors"
	"fmt"

	natsjs "github.com/nats-io/nats.go/jetstream"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/routes"
)

// Record reads one record; found is false when there is none, or none that can be read: its owner writes it anew.
func Record(ctx context.Context, c *jetstream.Client, key string) (r routes.StoredRecord, found bool, err error) {
	bucket, err := c.JetStream().KeyValue(ctx, c.Names().RoutesBucket())
	if err != nil {
		return routes.StoredRecord{}, false, fmt.Errorf("open bucket %s: %w", c.Names().RoutesBucket(), err)
	}
	entry, err := bucket.Get(ctx, key)
	if errors.Is(err, natsjs.ErrKeyNotFound) {
		return routes.StoredRecord{}, false, nil
	}
	if err != nil {
		return routes.StoredRecord{}, false, fmt.Errorf("read route %s: %w", key, err)
	}
	have, err := routes.DecodeEntry(entry)
	if err != nil {
		return routes.StoredRecord{Revision: entry.Revision()}, false, nil //nolint:nilerr // see above
	}
	return routes.StoredRecord{Record: have, Revision: entry.Revision()}, true, nil
}
