package replay

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	natsjs "github.com/nats-io/nats.go/jetstream"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/buckets"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/handles"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/naming"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/route"
)

// Record is a replay that is not finished.
type Record struct {
	Slice Slice `json:"slice"`
	// Began is when the replay began. Of it is made the run of the work, by which it differs from every other replay.
	Began time.Time `json:"began"`
	// UID is the target's: a later target of the same name is another one.
	UID string `json:"uid,omitempty"`
	// Next is the first sequence of the log that is not replayed yet, Last the last one that is.
	Next uint64 `json:"next"`
	Last uint64 `json:"last"`
	// Replayed counts the events that are parked for the target.
	Replayed int `json:"replayed"`

	revision uint64
}

func (r Record) run() uint64 { return uint64(r.Began.UnixMicro()) } //nolint:gosec // after 1970

// records keeps the record of the replay for one target.
type records struct {
	bucket natsjs.KeyValue
	key    string
}

// openRecords opens the bucket, and makes it if there is none.
func openRecords(ctx context.Context, c *jetstream.Client, t route.TargetKey) (records, error) {
	if err := buckets.EnsureHandles(ctx, c); err != nil {
		return records{}, err
	}
	bucket, err := c.JetStream().KeyValue(ctx, buckets.Handles(c))
	if err != nil {
		return records{}, fmt.Errorf("open bucket %s: %w", buckets.Handles(c), err)
	}
	return records{bucket, handles.ReplayKey(naming.TargetKey(t))}, nil
}

// unfinished returns the record of the target. Error: ErrNoneUnfinished.
func (r records) unfinished(ctx context.Context, uid string) (found Record, err error) {
	entry, err := r.bucket.Get(ctx, r.key)
	if errors.Is(err, natsjs.ErrKeyNotFound) {
		return found, ErrNoneUnfinished
	}
	if err == nil {
		err = json.Unmarshal(entry.Value(), &found)
	}
	if err != nil {
		return found, fmt.Errorf("read the replay that was begun: %w", err)
	}
	found.revision = entry.Revision()
	if found.UID != uid {
		return Record{revision: found.revision}, ErrNoneUnfinished
	}
	return found, nil
}

// write puts the record in the place of the one that was read or written last. Error: ErrTakenOver.
func (r records) write(ctx context.Context, next *Record) error {
	data, err := json.Marshal(next)
	if err != nil {
		return err
	}
	revision := uint64(0)
	if next.revision == 0 { // there is none, or the mark that there was one
		revision, err = r.bucket.Create(ctx, r.key, data)
	} else {
		revision, err = r.bucket.Update(ctx, r.key, data, next.revision)
	}
	if errors.Is(err, natsjs.ErrKeyExists) {
		return ErrTakenOver
	}
	if err != nil {
		return fmt.Errorf("note how far the replay has come: %w", err)
	}
	next.revision = revision
	return nil
}

// end removes the record.
func (r records) end(ctx context.Context, last Record) error {
	err := r.bucket.Purge(ctx, r.key, natsjs.LastRevision(last.revision), natsjs.PurgeTTL(buckets.PositionMarkerTTL))
	if err != nil {
		return fmt.Errorf("note that the replay is finished: %w", err)
	}
	return nil
}
