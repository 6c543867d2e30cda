package owner

import (
	"context"
	"fmt"

	natsjs "github.com/nats-io/nats.go/jetstream"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream"
)

// storageError says what was asked for, and what there is, when NATS has no room for a stream: byte limits are reservations.
func (o *Owner) storageError(ctx context.Context, want natsjs.StreamConfig, err error) error {
	switch {
	case err == nil:
		return nil
	case !jetstream.IsStorageExhausted(err):
		return fmt.Errorf("stream %s: %w", want.Name, err)
	}
	account, accountErr := o.client.JetStream().AccountInfo(ctx)
	if accountErr != nil {
		return fmt.Errorf("stream %s: %s are asked for, and NATS has less: %w", want.Name, asked(want), err)
	}
	return fmt.Errorf("stream %s: %s are asked for, %s: %w", want.Name, asked(want), available(account, want), err)
}

func asked(want natsjs.StreamConfig) string {
	return fmt.Sprintf("%d bytes on each of %d servers", max(want.MaxBytes, 0), positive(want.Replicas, 1))
}

// available says what an account may store, and what of it is reserved. What it holds at the moment is left out: the text goes into
// a condition, which must not change with every event. An account counts the bytes of all replicas; one whose
// limits are in tiers, by the number of replicas, counts those of one (nats-server server/jetstream.go, accountReservation).
func available(account *natsjs.AccountInfo, want natsjs.StreamConfig) string {
	tier, which := account.Tier, ""
	replicas := int64(positive(want.Replicas, 1))
	if name := fmt.Sprintf("R%d", replicas); len(account.Tiers) > 0 {
		var ok bool
		if tier, ok = account.Tiers[name]; !ok {
			return "and the NATS account has no limits for " + name + ", which means nothing may be stored"
		}
		which, replicas = " in tier "+name, 1
	}
	kind, limit, reserved := "file storage", tier.Limits.MaxStore, tier.ReservedStore
	if want.Storage == natsjs.MemoryStorage {
		kind, limit, reserved = "memory", tier.Limits.MaxMemory, tier.ReservedMemory
	}
	if limit < 0 {
		return fmt.Sprintf("more than a NATS server has left of its %s; this account, which has no limit%s, has reserved %d",
			kind, which, reserved)
	}
	left := max(uint64(limit), reserved) - reserved //nolint:gosec // not negative
	return fmt.Sprintf("%d in all; the NATS account may have %d bytes of %s%s, of which %d are reserved: %d are available",
		max(want.MaxBytes, 0)*replicas, limit, kind, which, reserved, left)
}
