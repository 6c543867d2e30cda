package buckets

import (
	"errors"
	"time"

	natsjs "github.com/nats-io/nats.go/jetstream"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream"
)

// replicas: all processes depend on a bucket, so it must outlive the loss of one server.
const replicas = 3

// What a bucket reserves of the account's storage, at least; a larger bucket reserves more than it
// holds. Logs cannot use it, so that routes can be changed and removed while logs are full.
const (
	RoutesReserve    = 256 << 10
	PositionsReserve = 64 << 10
)

// PositionMarkerTTL is how long NATS keeps the delete marker of a position. Nobody reads it.
const PositionMarkerTTL = time.Minute

// config is the part of a bucket's stream configuration that this package sets.
type config struct {
	name, description string
	// ttl is the lifetime of a value, 0 for ever; markerTTL that of its delete marker, 0 for none.
	ttl, markerTTL time.Duration
	// memory asks for memory storage, where the account has any.
	memory bool
	// reserve is the least that the bucket reserves of the account's storage, in bytes. It grows.
	reserve int64
	// maxBytes and maxValueSize are limits of a bucket without a reserve; 0 is none.
	maxBytes     int64
	maxValueSize int32
}

// wanted returns the stream's configuration: have with our settings, or all of it if have is empty.
// Direct reads are off: any server answers them, also one that is behind (I11).
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
		next.Duplicates = min(next.Duplicates, b.ttl) // NATS's limit
	}
	next.AllowMsgTTL, next.SubjectDeleteMarkerTTL = have.AllowMsgTTL || b.markerTTL > 0, b.markerTTL
	if b.reserve > 0 && next.MaxBytes < max(b.reserve, 2*int64(used)) { //nolint:gosec // no bucket is that large
		next.MaxBytes = max(b.reserve, 4*int64(used)) //nolint:gosec // see above
	}
	return next
}

// metaStorage marks a bucket in file storage: no server had memory, though the account may use it.
const metaStorage = "eventing-jetstream.storage"

// askLess lowers what NATS lacks: memory, a reserve, replicas. It returns false if nothing is left.
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
