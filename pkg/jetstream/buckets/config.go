package buckets

import (
	"errors"
	"time"

	natsjs "github.com/nats-io/nats.go/jetstream"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream"
)

// replicas is how many servers hold a bucket: all processes depend on it, so the loss of one server must not take it away.
const replicas = 3

// What the buckets reserve of the account's storage, at least: as they grow they reserve more than they hold. Logs cannot take it, so
// that full ones keep nobody from changing or removing a route.
const (
	RoutesReserve    = 256 << 10
	PositionsReserve = 64 << 10
)

// PositionMarkerTTL is how long NATS keeps the mark that a position was forgotten; nobody reads it.
const PositionMarkerTTL = time.Minute

// config is what is ours to say of a bucket's stream.
type config struct {
	name, description string
	// ttl is how long a value lives, markerTTL how long the mark that it is gone does; 0 is for ever, and no mark.
	ttl, markerTTL time.Duration
	// memory asks for memory storage, where the account has any.
	memory bool
	// reserve is how many bytes of the account's storage the bucket has to itself, at least. It gets more when it grows.
	reserve int64
	// maxBytes and maxValueSize are limits of a bucket without a reserve; 0 is none.
	maxBytes     int64
	maxValueSize int32
}

// wanted returns the stream's configuration with what is ours: all of it if the bucket is new, for which have is empty.
//
// Direct reads are off: any server answers one, also one that is behind.
func (b config) wanted(have natsjs.StreamConfig, used uint64) natsjs.StreamConfig {
	next := have
	if have.Name == "" {
		next = natsjs.StreamConfig{
			Name: jetstream.BucketStream(b.name), Subjects: []string{"$KV." + b.name + ".>"}, Replicas: replicas, Discard: natsjs.DiscardNew,
			AllowRollup: true, DenyDelete: true, MaxMsgs: -1, MaxConsumers: -1, MaxMsgSize: -1, MaxBytes: -1,
		}
		if b.maxBytes > 0 {
			next.MaxBytes, next.MaxMsgSize = b.maxBytes, b.maxValueSize
		}
	}
	next.Description, next.MaxMsgsPerSubject, next.MaxAge, next.AllowDirect = b.description, 1, b.ttl, false
	next.Duplicates = 2 * time.Minute
	if b.ttl > 0 {
		next.Duplicates = min(next.Duplicates, b.ttl) // NATS takes no longer one
	}
	next.AllowMsgTTL, next.SubjectDeleteMarkerTTL = have.AllowMsgTTL || b.markerTTL > 0, b.markerTTL
	if b.reserve > 0 && next.MaxBytes < max(b.reserve, 2*int64(used)) { //nolint:gosec // no bucket is that large
		next.MaxBytes = max(b.reserve, 4*int64(used)) //nolint:gosec // see above
	}
	return next
}

// metaStorage marks a bucket that is in file storage because a server had no memory for it, though the account has no such limit.
const metaStorage = "eventing-jetstream.storage"

// askLess asks for less of what NATS does not have, and is false when nothing is left to do without.
func (b config) askLess(asked *natsjs.StreamConfig, err error) bool {
	var api *natsjs.APIError
	switch {
	case jetstream.IsStorageExhausted(err) && asked.Storage == natsjs.MemoryStorage:
		asked.Storage, asked.Metadata = natsjs.FileStorage, map[string]string{metaStorage: "file"}
	case jetstream.IsStorageExhausted(err) && b.reserve > 0 && asked.MaxBytes > 0:
		asked.MaxBytes = -1
	case asked.Replicas > 1 && errors.As(err, &api) &&
		(api.ErrorCode == jetstream.ErrCodeNoCluster || api.ErrorCode == jetstream.ErrCodeNoPeers):
		asked.Replicas = 1
	default:
		return false
	}
	return true
}
