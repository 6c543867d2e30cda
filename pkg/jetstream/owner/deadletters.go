package owner

import (
	"context"
	"errors"
	"fmt"

	natsjs "github.com/nats-io/nats.go/jetstream"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/routes"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/route"
)

// ensureDeadLetters makes the dead-letter stream of an address that has this record. lacking is that
// an address which was there before has no room for the stream, or that the stream holds letters
// which the limits of the address would drop (ErrHoldsMore).
func (o *Owner) ensureDeadLetters(ctx context.Context, a route.Address, have routes.StoredRecord) (lacking, err error) {
	want := deadLetterConfig(o.client.Names(), a)
	before, err := o.ensureStream(ctx, want)
	switch {
	case err == nil:
		return refusedLimits(before, want, a.Log), nil
	case have.Address == nil || have.DeletedAt != nil || !jetstream.IsStorageExhausted(err):
		return nil, err
	}
	return err, nil
}

// heldLimits tells which limits a dead-letter stream keeps as they are. A smaller one would drop
// letters, or have the stream take no more of them. Other streams keep none.
func heldLimits(info *natsjs.StreamInfo, want natsjs.StreamConfig) (bytes, age bool) {
	state := info.State
	if want.Metadata[jetstream.MetaUse] != jetstream.DeadLetterUse || state.Msgs == 0 {
		return false, false
	}
	bytes = state.Bytes > uint64(want.MaxBytes) //nolint:gosec // not negative
	age = want.MaxAge > 0 && info.TimeStamp.Sub(state.FirstTime) > want.MaxAge
	return bytes, age && (info.Config.MaxAge == 0 || info.Config.MaxAge > want.MaxAge)
}

// refusedLimits is why limits that the address asks for are not those of its dead-letter stream, and
// what mends that; nil when they are. How much the stream holds is left out: the text goes into a
// condition, which must not change with every letter. A limit that follows from that of the log is
// not asked for, and waits in silence.
func refusedLimits(info *natsjs.StreamInfo, want natsjs.StreamConfig, log route.Log) error {
	bytes, age := heldLimits(info, want)
	var errs []error
	if bytes && log.DeadLetterMaxBytes > 0 {
		errs = append(errs, fmt.Errorf("dead-letter-max-bytes %d of stream %s: %w; it keeps its limit of %d bytes until enough of them are retried or dropped",
			want.MaxBytes, want.Name, ErrHoldsMore, info.Config.MaxBytes))
	}
	if age {
		keeps := "it keeps them"
		if info.Config.MaxAge > 0 {
			keeps = "it keeps its limit of " + info.Config.MaxAge.String()
		}
		errs = append(errs, fmt.Errorf("dead-letter-max-age %s of stream %s: %w; %s until those are retried or dropped: kn-jetstream dlq drop --until %s",
			want.MaxAge, want.Name, ErrHoldsMore, keeps, want.MaxAge))
	}
	return errors.Join(errs...)
}
