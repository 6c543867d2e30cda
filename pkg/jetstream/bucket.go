package jetstream

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// bucketReplicas is how many servers hold a bucket: all processes depend on it, so the loss of one server must not take it away.
const bucketReplicas = 3

// EnsureBuckets makes the routes, reports and positions buckets. Only owners of routes call it; the data plane waits for them.
// A bucket has three replicas where NATS has the servers for them. How many there are, and where, is the administrator's choice
// once it exists.
func (c *Client) EnsureBuckets(ctx context.Context) error {
	for _, config := range []jetstream.KeyValueConfig{
		{Bucket: c.names.RoutesBucket(), Description: "addresses and targets", History: 1},
		{
			Bucket: c.names.ReportsBucket(), Description: "what the live ingress and filter processes have applied", History: 1,
			TTL: c.timing.reportTTL, LimitMarkerTTL: c.timing.reportTTL,
		},
		{
			Bucket: c.names.PositionsBucket(), Description: "where the cursors stood when they were last looked at", History: 1,
			LimitMarkerTTL: positionMarkerTTL,
		},
	} {
		if err := c.ensureBucket(ctx, config); err != nil {
			return fmt.Errorf("make bucket %s: %w", config.Bucket, err)
		}
	}
	return nil
}

func (c *Client) ensureBucket(ctx context.Context, want jetstream.KeyValueConfig) error {
	bucket, err := c.js.KeyValue(ctx, want.Bucket)
	if errors.Is(err, jetstream.ErrBucketNotFound) {
		return c.createBucket(ctx, want)
	}
	if err != nil {
		return err
	}
	status, err := bucket.Status(ctx)
	if err != nil {
		return err
	}
	have := status.Config()
	if have.TTL == want.TTL && have.LimitMarkerTTL == want.LimitMarkerTTL && int64(have.History) == int64(want.History) {
		return nil
	}
	next := have
	next.Description, next.History, next.TTL, next.LimitMarkerTTL = want.Description, want.History, want.TTL, want.LimitMarkerTTL
	_, err = c.js.UpdateKeyValue(ctx, next)
	return err
}

func (c *Client) createBucket(ctx context.Context, want jetstream.KeyValueConfig) error {
	want.Replicas = bucketReplicas
	_, err := c.js.CreateKeyValue(ctx, want)
	var api *jetstream.APIError
	if errors.As(err, &api) && (api.ErrorCode == errCodeNoCluster || api.ErrorCode == errCodeNoPeers) {
		want.Replicas = 1
		_, err = c.js.CreateKeyValue(ctx, want)
	}
	if errors.Is(err, jetstream.ErrBucketExists) {
		return nil // somebody else has just made it
	}
	return err
}

// bucketCreated tells one incarnation of a bucket from the next: a watch does not notice that its bucket was made anew.
func bucketCreated(ctx context.Context, bucket jetstream.KeyValue) (time.Time, error) {
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	status, err := bucket.Status(ctx)
	if err != nil {
		return time.Time{}, err
	}
	kv, ok := status.(*jetstream.KeyValueBucketStatus)
	if !ok {
		return time.Time{}, errors.New("the bucket does not say when it was made")
	}
	return kv.StreamInfo().Created, nil
}

// bucketWatch is who is told what a bucket holds: entry of each key, deleted ones included, and then of each change; synced when
// the first round is over, with the time at which the bucket was made.
type bucketWatch struct {
	entry  func(jetstream.KeyValueEntry)
	synced func(made time.Time)
}

// watchBucket returns when the watch has to start anew: nil when NATS was away or ctx has ended, else an error, such as that the
// bucket is not there or no longer the one that it watches.
func (c *Client) watchBucket(ctx context.Context, name string, w bucketWatch) error {
	bucket, err := c.js.KeyValue(ctx, name)
	if err != nil {
		return fmt.Errorf("open bucket %s: %w", name, err)
	}
	created, err := bucketCreated(ctx, bucket)
	if err != nil {
		return fmt.Errorf("read bucket %s: %w", name, err)
	}
	reconnected := c.conn.StatusChanged(nats.CONNECTED)
	defer c.conn.RemoveStatusListener(reconnected)
	watcher, err := bucket.WatchAll(ctx)
	if err != nil {
		return fmt.Errorf("watch bucket %s: %w", name, err)
	}
	defer endWatch(watcher)
	check := time.NewTicker(c.timing.checkEvery)
	defer check.Stop()
	for {
		select {
		case entry, open := <-watcher.Updates():
			switch {
			case !open:
				return fmt.Errorf("the watch of bucket %s ended", name)
			case entry == nil:
				w.synced(created)
			default:
				w.entry(entry)
			}
		case <-check.C:
			now, err := bucketCreated(ctx, bucket)
			if errors.Is(err, jetstream.ErrStreamNotFound) || (err == nil && !now.Equal(created)) {
				return fmt.Errorf("bucket %s was removed", name)
			}
		case <-reconnected:
			return nil
		case <-ctx.Done():
			return nil
		}
	}
}

// readBucket calls each for every value under the keys that match the filter, as the server has them now.
func (c *Client) readBucket(ctx context.Context, name, keyFilter string, each func(jetstream.KeyValueEntry)) error {
	bucket, err := c.js.KeyValue(ctx, name)
	if err != nil {
		return fmt.Errorf("open bucket %s: %w", name, err)
	}
	watcher, err := bucket.Watch(ctx, keyFilter, jetstream.IgnoreDeletes())
	if err != nil {
		return fmt.Errorf("read bucket %s: %w", name, err)
	}
	defer endWatch(watcher)
	for {
		select {
		case entry, open := <-watcher.Updates():
			switch {
			case !open:
				return fmt.Errorf("reading bucket %s was cut off", name)
			case entry == nil:
				return nil
			default:
				each(entry)
			}
		case <-ctx.Done():
			return fmt.Errorf("read bucket %s: %w", name, context.Cause(ctx))
		}
	}
}

// endWatch stops a watch and takes what it still wants to say: nats.go leaves a goroutine behind for as long as nobody does.
func endWatch(watcher jetstream.KeyWatcher) {
	_ = watcher.Stop() // fails only when the watch has ended already
	for range watcher.Updates() {
	}
}
