package jetstream

import (
	"context"
	"errors"
	"fmt"
	"reflect"

	"github.com/nats-io/nats.go/jetstream"
)

// EnsureBuckets makes the routes, reports and positions buckets what they ought to be. Only owners of routes call it, and again
// when a bucket is not there; the data plane waits for them. A bucket has three replicas where NATS has the servers for them. How
// many there are, and where, is the administrator's choice once it exists.
//
// The reports are kept in memory where the account has any, so that they can be written when its file storage is exhausted: NATS
// then refuses what is for files, be it reserved or not. A NATS that is not a cluster forgets such a bucket when it restarts, and
// nothing becomes ready until an owner has made it again: one that does not stay uses MakeBuckets.
func (c *Client) EnsureBuckets(ctx context.Context) error { return c.ensureBuckets(ctx, true) }

// MakeBuckets is EnsureBuckets for an owner that does not stay, and could not make the reports bucket again: it makes one that
// lasts, and leaves one that is there where it is.
func (c *Client) MakeBuckets(ctx context.Context) error { return c.ensureBuckets(ctx, false) }

func (c *Client) ensureBuckets(ctx context.Context, stays bool) error {
	made := map[string]bool{}
	for _, b := range []bucketConfig{
		{name: c.names.RoutesBucket(), description: "addresses and targets", markerTTL: c.timing.RouteMarkerTTL, reserve: RoutesReserve},
		{
			name: c.names.ReportsBucket(), description: "what the live ingress and filter processes have applied",
			ttl: c.timing.ReportTTL, markerTTL: c.timing.ReportTTL, memory: stays,
		},
		{
			name: c.names.PositionsBucket(), description: "where the cursors stood when they were last looked at",
			markerTTL: PositionMarkerTTL, reserve: PositionsReserve,
		},
	} {
		var err error
		if made[b.name], err = c.ensureBucket(ctx, b); err != nil {
			return fmt.Errorf("make bucket %s: %w", b.name, err)
		}
	}
	// Where there were no routes, nobody reported that he serves them.
	first := made[c.names.RoutesBucket()] && made[c.names.ReportsBucket()]
	return c.startReports(ctx, reportsStart{Lost: !first})
}

// MakingRoom does a write to a bucket, and once more if that was full, for which the buckets grow: it has taken much since it was looked at.
func (c *Client) MakingRoom(ctx context.Context, write func() error) error {
	err := write()
	if !IsLogFull(err) {
		return err
	}
	if err := c.MakeBuckets(ctx); err != nil {
		return err
	}
	return write()
}

// ensureBucket makes the bucket, or makes the one that is there what is wanted. Storage cannot be changed in place: a bucket in
// the wrong one is made anew. made tells that it is a new one.
func (c *Client) ensureBucket(ctx context.Context, b bucketConfig) (made bool, err error) {
	stream, err := c.js.Stream(ctx, BucketStream(b.name))
	if errors.Is(err, jetstream.ErrStreamNotFound) {
		return c.createBucket(ctx, b)
	}
	if err != nil {
		return false, err
	}
	have := stream.CachedInfo().Config
	if b.memory && have.Storage == jetstream.FileStorage && have.Metadata[metaStorage] == "" {
		memory, err := c.hasMemory(ctx)
		if err != nil {
			return false, err
		}
		if memory {
			if err := c.js.DeleteStream(ctx, have.Name); IgnoreMissing(err) != nil {
				return false, err
			}
			return c.createBucket(ctx, b)
		}
	}
	next := b.wanted(have, stream.CachedInfo().State.Bytes)
	if reflect.DeepEqual(have, next) {
		return false, nil
	}
	_, err = c.js.UpdateStream(ctx, next)
	if IsStorageExhausted(err) && next.MaxBytes != have.MaxBytes {
		next.MaxBytes = -1 // nothing can be reserved: then the bucket takes what it gets
		if reflect.DeepEqual(have, next) {
			return false, nil
		}
		_, err = c.js.UpdateStream(ctx, next)
	}
	return false, err
}

// createBucket makes a bucket that was not there. NATS says so too of one that is the same already: made tells that it is new.
func (c *Client) createBucket(ctx context.Context, b bucketConfig) (made bool, err error) {
	config := b.wanted(jetstream.StreamConfig{}, 0)
	if b.memory {
		memory, err := c.hasMemory(ctx)
		if err != nil {
			return false, err
		}
		if memory {
			config.Storage = jetstream.MemoryStorage
		}
	}
	for {
		stream, err := c.js.CreateStream(ctx, config)
		switch {
		case err == nil:
			info := stream.CachedInfo()
			return info.TimeStamp.Sub(info.Created) < RequestTimeout, nil
		case errors.Is(err, jetstream.ErrStreamNameAlreadyInUse): // somebody else has just made it
			return false, nil
		case !b.askLess(&config, err):
			return false, err
		}
	}
}

// hasMemory tells whether the account may store anything in memory.
func (c *Client) hasMemory(ctx context.Context) (bool, error) {
	account, err := c.js.AccountInfo(ctx)
	if err != nil {
		return false, fmt.Errorf("read the NATS account: %w", err)
	}
	for _, tier := range account.Tiers {
		if tier.Limits.MaxMemory != 0 {
			return true, nil
		}
	}
	return account.Limits.MaxMemory != 0, nil
}
