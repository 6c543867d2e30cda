package buckets

import (
	"context"
	"errors"
	"fmt"
	"reflect"

	natsjs "github.com/nats-io/nats.go/jetstream"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream"
)

// Ensure makes the routes, reports and positions buckets, or updates their configuration. Only
// owners of routes call it, also when a bucket is missing later; the data plane waits. A bucket
// gets three replicas where NATS has the servers for them; later their number and place is the
// administrator's choice.
//
// Reports are kept in memory where the account has any, so that they can be written when file
// storage is exhausted: NATS then refuses all writes to files, reserved or not. A single NATS
// server forgets that bucket when it restarts, and nothing becomes ready until an owner has made it
// again: an owner that does not stay uses Make.
func Ensure(ctx context.Context, c *jetstream.Client) error { return ensureAll(ctx, c, true) }

// Make is Ensure for an owner that does not stay, and could not make the reports bucket again: a
// new reports bucket is kept in files, an existing one stays where it is.
func Make(ctx context.Context, c *jetstream.Client) error { return ensureAll(ctx, c, false) }

func ensureAll(ctx context.Context, c *jetstream.Client, stays bool) error {
	made := map[string]bool{}
	for _, b := range []config{
		{name: c.Names().RoutesBucket(), description: "addresses and targets", markerTTL: c.Timing().RouteMarkerTTL, reserve: RoutesReserve},
		{
			name: c.Names().ReportsBucket(), description: "what the live ingress and filter processes have applied",
			ttl: c.Timing().ReportTTL, markerTTL: c.Timing().ReportTTL, memory: stays,
		},
		{
			name: c.Names().PositionsBucket(), description: "where the cursors stood when they were last looked at",
			markerTTL: PositionMarkerTTL, reserve: PositionsReserve,
		},
	} {
		var err error
		if made[b.name], err = ensureBucket(ctx, c, b); err != nil {
			return fmt.Errorf("make bucket %s: %w", b.name, err)
		}
	}
	// Without routes there were no reports that could be lost.
	first := made[c.Names().RoutesBucket()] && made[c.Names().ReportsBucket()]
	return startReports(ctx, c, ReportsStart{Lost: !first})
}

// MakingRoom runs a write to a bucket. If the bucket is full, it lets Make enlarge it and repeats.
func MakingRoom(ctx context.Context, c *jetstream.Client, write func() error) error {
	err := write()
	if !jetstream.IsLogFull(err) {
		return err
	}
	if err := Make(ctx, c); err != nil {
		return err
	}
	return write()
}

// ensureBucket makes the bucket, or updates its configuration, and reports whether it is a new one.
// NATS cannot change the storage of a stream: a bucket in the wrong one is deleted and made again.
func ensureBucket(ctx context.Context, c *jetstream.Client, b config) (made bool, err error) {
	stream, err := c.JetStream().Stream(ctx, jetstream.BucketStream(b.name))
	if errors.Is(err, natsjs.ErrStreamNotFound) {
		return createBucket(ctx, c, b)
	}
	if err != nil {
		return false, err
	}
	have := stream.CachedInfo().Config
	if b.memory && have.Storage == natsjs.FileStorage && have.Metadata[metaStorage] == "" {
		memory, err := hasMemory(ctx, c)
		if err != nil {
			return false, err
		}
		if memory {
			if err := c.JetStream().DeleteStream(ctx, have.Name); jetstream.IgnoreMissing(err) != nil {
				return false, err
			}
			return createBucket(ctx, c, b)
		}
	}
	next := b.wanted(have, stream.CachedInfo().State.Bytes)
	if reflect.DeepEqual(have, next) {
		return false, nil
	}
	_, err = c.JetStream().UpdateStream(ctx, next)
	if jetstream.IsStorageExhausted(err) && next.MaxBytes != have.MaxBytes {
		next.MaxBytes = -1 // no storage is left to reserve
		if reflect.DeepEqual(have, next) {
			return false, nil
		}
		_, err = c.JetStream().UpdateStream(ctx, next)
	}
	return false, err
}

// createBucket makes a missing bucket. made is false if NATS already had an equal one.
func createBucket(ctx context.Context, c *jetstream.Client, b config) (made bool, err error) {
	wanted := b.wanted(natsjs.StreamConfig{}, 0)
	if b.memory {
		memory, err := hasMemory(ctx, c)
		if err != nil {
			return false, err
		}
		if memory {
			wanted.Storage = natsjs.MemoryStorage
		}
	}
	for {
		stream, err := c.JetStream().CreateStream(ctx, wanted)
		switch {
		case err == nil:
			info := stream.CachedInfo()
			return info.TimeStamp.Sub(info.Created) < jetstream.RequestTimeout, nil
		case errors.Is(err, natsjs.ErrStreamNameAlreadyInUse): // somebody else has just made it
			return false, nil
		case !b.askLess(&wanted, err):
			return false, err
		}
	}
}

// hasMemory reports whether the account may store anything in memory.
func hasMemory(ctx context.Context, c *jetstream.Client) (bool, error) {
	account, err := c.JetStream().AccountInfo(ctx)
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
