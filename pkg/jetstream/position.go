package jetstream

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// positionMarkerTTL is how long NATS keeps the mark that a position was forgotten; nobody reads it.
const positionMarkerTTL = time.Minute

// positions remembers where each cursor stood, for the case that someone deletes a consumer by hand. It does so in a bucket:
// whoever owns the routes next must know it too. A cursor that has not moved since is not written again, so an idle target
// costs nothing, and a busy one a small message at each sweep. Safe for concurrent use.
type positions struct {
	client *Client

	mu sync.Mutex
	// known is what this process has to remember, by naming.TargetKey, or by naming.SharedKey for a consumer that targets share; written
	// are those that it has written, into the bucket that was made at the time made.
	known   map[string]position
	written map[string]bool
	made    time.Time
}

// position is the ack floor of a cursor in one incarnation of its log, told from others by when it was made. A floor that is
// too low brings events twice, one that is too high loses them: it is only ever what the server said, so it is never too high.
type position struct {
	Log   time.Time `json:"log"`
	Floor uint64    `json:"floor"`
}

func newPositions(c *Client) *positions {
	return &positions{client: c, known: map[string]position{}, written: map[string]bool{}}
}

func (p *positions) remember(ctx context.Context, key string, now position) error {
	p.mu.Lock()
	done := p.written[key] && p.known[key] == now
	p.known[key], p.written[key] = now, true
	p.mu.Unlock()
	if done {
		return nil
	}
	err := p.write(ctx, key, now)
	if err != nil {
		p.mu.Lock()
		delete(p.written, key) // the next sweep writes it
		p.mu.Unlock()
		return fmt.Errorf("remember where %s stands: %w", key, err)
	}
	return nil
}

// look notices that the bucket is gone or was made anew: then all that is known has to be written again.
func (p *positions) look(ctx context.Context) error {
	bucket, err := p.client.js.KeyValue(ctx, p.client.names.PositionsBucket())
	var made time.Time
	if err == nil {
		made, err = bucketCreated(ctx, bucket)
	}
	if err != nil && !errors.Is(err, jetstream.ErrBucketNotFound) {
		return fmt.Errorf("open bucket %s: %w", p.client.names.PositionsBucket(), err)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.made.IsZero() && !p.made.Equal(made) {
		clear(p.written)
	}
	p.made = made
	return nil
}

func (p *positions) write(ctx context.Context, key string, at position) error {
	bucket, err := p.client.js.KeyValue(ctx, p.client.names.PositionsBucket())
	if errors.Is(err, jetstream.ErrBucketNotFound) {
		if err = p.client.EnsureBuckets(ctx); err == nil {
			bucket, err = p.client.js.KeyValue(ctx, p.client.names.PositionsBucket())
		}
	}
	if err != nil {
		return err
	}
	data, err := json.Marshal(at)
	if err != nil {
		return err
	}
	_, err = bucket.Put(ctx, key, data)
	return err
}

// next returns the first sequence that the target may not have got. Where nothing is known that is the log's first event:
// twice beats never.
func (p *positions) next(ctx context.Context, key string, log *jetstream.StreamInfo) (uint64, error) {
	at, ok, err := p.read(ctx, key)
	if err != nil {
		return 0, err
	}
	if !ok || !at.Log.Equal(log.Created) {
		return 1, nil
	}
	return min(at.Floor, log.State.LastSeq) + 1, nil
}

// read returns what the bucket says, or, should someone have deleted that too, what this process knows.
func (p *positions) read(ctx context.Context, key string) (at position, ok bool, err error) {
	bucket, err := p.client.js.KeyValue(ctx, p.client.names.PositionsBucket())
	if errors.Is(err, jetstream.ErrBucketNotFound) {
		p.mu.Lock()
		defer p.mu.Unlock()
		at, ok = p.known[key]
		return at, ok, nil
	}
	if err != nil {
		return at, false, fmt.Errorf("read where %s stood: %w", key, err)
	}
	entry, err := bucket.Get(ctx, key)
	if errors.Is(err, jetstream.ErrKeyNotFound) {
		p.mu.Lock()
		defer p.mu.Unlock()
		at, ok = p.known[key] // the bucket may have been made anew
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

func (p *positions) forget(ctx context.Context, key string) error {
	p.mu.Lock()
	delete(p.known, key)
	delete(p.written, key)
	p.mu.Unlock()
	bucket, err := p.client.js.KeyValue(ctx, p.client.names.PositionsBucket())
	if errors.Is(err, jetstream.ErrBucketNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	return bucket.Purge(ctx, key, jetstream.PurgeTTL(positionMarkerTTL))
}
