package trim

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"time"

	"github.com/nats-io/nats.go"
	natsjs "github.com/nats-io/nats.go/jetstream"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/routes"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/naming"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/route"
)

const (
	// trimShare: a nudge trims a log only if that frees about 1/trimShare of its limit.
	trimShare = 4
	// trimPause is the least time between two nudges for one log; more are ignored.
	trimPause = 200 * time.Millisecond
)

// NudgeFull is the body of a nudge for a full log: whatever a trim frees is worth it.
const NudgeFull = "full"

// Trimmer removes from the logs what every cursor has passed (I7). It could lose events: so it
// believes only what the server says now, and removes nothing if anything is unclear.
type Trimmer struct {
	client *jetstream.Client
	table  *route.Table
}

// New returns a trimmer of the logs of the table's addresses. Any number of processes may run one.
func New(c *jetstream.Client, table *route.Table) *Trimmer { return &Trimmer{client: c, table: table} }

// Run trims until ctx ends: each log every Timing.TrimEvery, and sooner after a nudge.
func (t *Trimmer) Run(ctx context.Context) {
	nudges := make(chan *nats.Msg, 1024)
	sub, err := t.client.Conn().ChanSubscribe(t.client.Names().TrimSubjects(), nudges)
	if err != nil {
		t.client.Logger().Warn("nudges cannot be received; logs are trimmed at regular times only", "error", err)
	} else {
		defer func() { _ = sub.Unsubscribe() }()
	}
	last := map[route.Key]time.Time{}
	// Several processes trim the same logs, better at different times.
	every := t.client.Timing().TrimEvery
	clock := time.NewTicker(every - rand.N(every/8)) //nolint:gosec // no secret
	defer clock.Stop()
	for {
		select {
		case <-clock.C:
			for _, address := range t.table.Snapshot().Addresses {
				t.attempt(ctx, address, 1)
			}
		case nudge := <-nudges:
			t.heed(ctx, nudge, last)
		case <-ctx.Done():
			return
		}
	}
}

func (t *Trimmer) heed(ctx context.Context, nudge *nats.Msg, last map[route.Key]time.Time) {
	key, err := naming.Names.ParseTrim(t.client.Names(), nudge.Subject)
	if err != nil || time.Since(last[key]) < trimPause {
		return
	}
	address, ok := t.table.Address(key)
	if !ok {
		return
	}
	worth := uint64(max(address.Log.MaxBytes, trimShare)) / trimShare //nolint:gosec // never negative
	if string(nudge.Data) == NudgeFull {
		worth = 1
	}
	t.attempt(ctx, address, worth)
	last[key] = time.Now()
}

// attempt trims, or logs why it failed: the log is as it was, and the next attempt reads it again.
func (t *Trimmer) attempt(ctx context.Context, address route.Address, worth uint64) {
	trim, cancel := context.WithTimeout(ctx, 2*jetstream.RequestTimeout)
	defer cancel()
	_, err := Once(trim, t.client, address, worth)
	if err != nil && ctx.Err() == nil {
		t.client.Logger().Warn("a log is not trimmed", "address", address.Key.String(), "error", err)
	}
}

// Once removes from the address's log the events below its lowest cursor that are older than the
// history window, or beyond the history's share of the log, if that frees about worth bytes or
// more. It returns the sequence below which the log is empty now; 0 if it removed nothing.
//
// It removes nothing while a consumer is Missing, which will be made again where it stood. That may
// be the consumer of a removed target, which is put again in its grace period.
func Once(ctx context.Context, c *jetstream.Client, address route.Address, worth uint64) (uint64, error) {
	if address.Log.Stream != "" {
		return 0, nil // it is not ours to trim
	}
	reading, err := ReadLog(ctx, c, c.Names().Log(address.Key))
	if err != nil {
		return 0, err
	}
	if reading.Floor <= reading.State.FirstSeq || reading.State.Msgs == 0 {
		return 0, nil
	}
	targets, err := routes.Records(ctx, c, naming.TargetKeysOf(address.Key))
	if err != nil {
		return 0, err
	}
	if missing, err := reading.Missing(ctx, c, address.Key, targets); err != nil || missing != "" {
		return 0, cmp.Or(err, fmt.Errorf("%s is gone", missing))
	}
	floor, err := historyFloor(ctx, reading, address.Log.History)
	if err != nil {
		return 0, err
	}
	if most := min(mostHistory(reading.State, address.Log.MaxBytes), reading.Floor); most > floor {
		floor, worth = most, 1
	}
	if floor <= reading.State.FirstSeq || freed(reading.State, floor) < worth {
		return 0, nil
	}
	if err := PurgeBelow(ctx, c, c.Names().Log(address.Key), floor); err != nil {
		return 0, err
	}
	return floor, nil
}

// PurgeBelow uses Client.Removals: when a late purge reaches NATS, the log may be another one.
func PurgeBelow(ctx context.Context, c *jetstream.Client, log string, floor uint64) error {
	stream, err := c.Removals().Stream(ctx, log)
	if err == nil {
		err = stream.Purge(ctx, natsjs.WithPurgeSequence(floor))
	}
	if err != nil {
		return fmt.Errorf("purge %s below %d: %w", log, floor, err)
	}
	return nil
}

// freed estimates the bytes below the floor from the average size of a message.
func freed(state natsjs.StreamState, floor uint64) uint64 {
	span := state.LastSeq - state.FirstSeq + 1
	return uint64(float64(state.Bytes) * float64(floor-state.FirstSeq) / float64(span))
}

// historyShare is how much of a log delivered events may fill, in quarters; the rest is for others.
const historyShare = 3

// mostHistory returns the sequence below which delivered events must go so that they fill no more
// than historyShare of the log, estimated from the average size of a message; 0 if none must go.
func mostHistory(state natsjs.StreamState, maxBytes int64) uint64 {
	share := uint64(max(maxBytes, 0)) / 4 * historyShare
	if maxBytes <= 0 || state.Bytes <= share {
		return 0
	}
	span := float64(state.LastSeq - state.FirstSeq + 1)
	return state.FirstSeq + uint64(math.Ceil(span*float64(state.Bytes-share)/float64(state.Bytes)))
}

// historyFloor returns the first sequence that the history window covers, at most the floor.
func historyFloor(ctx context.Context, r Reading, history time.Duration) (uint64, error) {
	if history <= 0 {
		return r.Floor, nil
	}
	return jetstream.FirstSince(ctx, r.stream, jetstream.Span{First: r.State.FirstSeq, End: r.Floor}, time.Now().Add(-history))
}
