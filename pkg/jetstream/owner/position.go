package owner

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"

	natsjs "github.com/nats-io/nats.go/jetstream"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/buckets"
)

// positions remembers where each cursor stood, for the case that someone deletes a consumer by hand. It does so in a bucket:
// whoever owns the routes next must know it too. A cursor that has not moved since is not written again, so an idle target
// costs nothing, and a busy one a small message at each sweep. Safe for concurrent use.
type positions struct {
	client *jetstream.Client

	mu sync.Mutex
	// known is what this process has written, by naming.TargetKey for a consumer of one target, and by naming.SharedKey for one that
	// targets share.
	known map[string]writtenPosition
	// made is when the bucket was made that the last look has found.
	made time.Time
}

// writtenPosition is a position with the time at which the bucket was made that it was written into. In that bucket the key says more
// than this process knows: another one may have purged it. Only for one that was made later is the memory of use.
type writtenPosition struct {
	position
	bucket time.Time
}

// position is the ack floor of a cursor in one incarnation of its log, told from others by when it was made. A floor that is
// too low brings events twice, one that is too high loses them: it is only ever what the server said, so it is never too high.
type position struct {
	Log   time.Time `json:"log"`
	Floor uint64    `json:"floor"`
	// Members are those of a shared consumer, as its metadata has them: their records may be lost together with the consumer.
	Members string `json:"members,omitempty"`
}

// positionOf is where the consumer stands in a log that was made at this time.
func positionOf(info *natsjs.ConsumerInfo, log time.Time) position {
	return position{Log: log, Floor: info.AckFloor.Stream, Members: info.Config.Metadata[jetstream.MetaMembers]}
}

func (p position) members() []string {
	return jetstream.MembersIn(map[string]string{jetstream.MetaMembers: p.Members})
}

func newPositions(c *jetstream.Client) *positions {
	return &positions{client: c, known: map[string]writtenPosition{}}
}

// begin is remember for a cursor that was just made: what this process has written of another one under this key may be purged.
func (p *positions) begin(ctx context.Context, key string, now position) error {
	p.mu.Lock()
	delete(p.known, key)
	p.mu.Unlock()
	return p.remember(ctx, key, now)
}

func (p *positions) remember(ctx context.Context, key string, now position) error {
	p.mu.Lock()
	last, ok := p.known[key]
	done := ok && last.position == now && last.bucket.Equal(p.made)
	p.mu.Unlock()
	if done {
		return nil
	}
	bucket, made, err := p.open(ctx)
	if errors.Is(err, natsjs.ErrBucketNotFound) {
		if err = buckets.Ensure(ctx, p.client); err == nil {
			bucket, made, err = p.open(ctx)
		}
	}
	if err != nil {
		return fmt.Errorf("remember where %s stands: %w", key, err)
	}
	data, err := json.Marshal(now)
	if err != nil {
		return err
	}
	err = buckets.MakingRoom(ctx, p.client, func() error {
		_, err := bucket.Put(ctx, key, data)
		return err
	})
	if err != nil {
		return fmt.Errorf("remember where %s stands: %w", key, err)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.known[key] = writtenPosition{now, made}
	return nil
}

// open opens the bucket and tells when it was made.
func (p *positions) open(ctx context.Context) (natsjs.KeyValue, time.Time, error) {
	bucket, err := p.client.JetStream().KeyValue(ctx, p.client.Names().PositionsBucket())
	if err != nil {
		return nil, time.Time{}, fmt.Errorf("open bucket %s: %w", p.client.Names().PositionsBucket(), err)
	}
	made, err := p.client.BucketMade(ctx, p.client.Names().PositionsBucket())
	return bucket, made, err
}

// look notices that the bucket is gone or was made anew: then all that is known has to be written again.
func (p *positions) look(ctx context.Context) error {
	made, err := p.client.BucketMade(ctx, p.client.Names().PositionsBucket())
	if err != nil && !errors.Is(err, natsjs.ErrBucketNotFound) {
		return err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.made = made
	return nil
}

// next returns the first sequence that the target may not have got. Where nothing is known that is the log's first event:
// twice beats never.
func (p *positions) next(ctx context.Context, key string, log *natsjs.StreamInfo) (uint64, error) {
	at, ok, err := p.read(ctx, key)
	if err != nil {
		return 0, err
	}
	if !ok || !at.Log.Equal(log.Created) {
		return 1, nil
	}
	return min(at.Floor, log.State.LastSeq) + 1, nil
}

// read returns what the bucket says, or, if that was deleted or made anew since, what this process has written.
func (p *positions) read(ctx context.Context, key string) (at position, ok bool, err error) {
	bucket, made, err := p.open(ctx)
	if errors.Is(err, natsjs.ErrBucketNotFound) {
		at, ok = p.remembered(key, made)
		return at, ok, nil
	}
	if err != nil {
		return at, false, err
	}
	entry, err := bucket.Get(ctx, key)
	if errors.Is(err, natsjs.ErrKeyNotFound) {
		at, ok = p.remembered(key, made)
		return at, ok, nil
	}
	if err != nil {
		return at, false, fmt.Errorf("read where %s stood: %w", key, err)
	}
	// What cannot be read is a position in no log: the target had a cursor, nobody knows where.
	if json.Unmarshal(entry.Value(), &at) != nil {
		at = position{}
	}
	return at, true, nil
}

// remembered is what this process has written into another bucket than the one that was made at this time.
func (p *positions) remembered(key string, made time.Time) (position, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	at, ok := p.known[key]
	return at.position, ok && !at.bucket.Equal(made)
}

func (p *positions) forget(ctx context.Context, key string) error {
	p.mu.Lock()
	delete(p.known, key)
	p.mu.Unlock()
	bucket, _, err := p.open(ctx)
	if errors.Is(err, natsjs.ErrBucketNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	if _, err := bucket.Get(ctx, key); errors.Is(err, natsjs.ErrKeyNotFound) {
		return nil // a mark would take room for nothing
	}
	return buckets.MakingRoom(ctx, p.client, func() error { return bucket.Purge(ctx, key, natsjs.PurgeTTL(buckets.PositionMarkerTTL)) })
}
