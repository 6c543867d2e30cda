package owner

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"

	natsjs "github.com/nats-io/nats.go/jetstream"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/route"
)

// ensureStream makes the stream what is wanted: created, updated, or left alone when it already is. It returns the stream as it was
// before an update.
// Errors: ErrImmutable, naming the field that NATS cannot change; PredecessorError.
func (o *Owner) ensureStream(ctx context.Context, want natsjs.StreamConfig) (*natsjs.StreamInfo, error) {
	stream, err := o.client.JetStream().Stream(ctx, want.Name)
	if errors.Is(err, natsjs.ErrStreamNotFound) {
		if err := o.createStream(ctx, want); err != nil {
			return nil, err
		}
		stream, err = o.client.JetStream().Stream(ctx, want.Name)
	}
	if err != nil {
		return nil, fmt.Errorf("read stream %s: %w", want.Name, err)
	}
	return stream.CachedInfo(), o.alignStream(ctx, stream, want)
}

// createStream makes a stream that is not there, and leaves one alone that somebody else has just made.
//
// Its sequences start at the time in microseconds, so that no two streams of one name ever share a sequence: parked work,
// acknowledgements and message ids name events by it, and may outlive a stream that was deleted by hand and made again. They never start
// before those of the stream that the route knows, whatever the clock says: an ingress would take it for another stream.
func (o *Owner) createStream(ctx context.Context, want natsjs.StreamConfig) error {
	want.FirstSeq = max(want.FirstSeq, o.client.Timing().FirstSequence())
	_, err := o.client.JetStream().CreateStream(ctx, want)
	if errors.Is(err, natsjs.ErrStreamNameAlreadyInUse) {
		return nil
	}
	return o.storageError(ctx, want, err)
}

// createIfAbsent makes a stream that is gone; to change one is for a Put.
func (o *Owner) createIfAbsent(ctx context.Context, want natsjs.StreamConfig) error {
	_, err := o.client.JetStream().Stream(ctx, want.Name)
	if errors.Is(err, natsjs.ErrStreamNotFound) {
		return o.createStream(ctx, want)
	}
	if err != nil {
		return fmt.Errorf("read stream %s: %w", want.Name, err)
	}
	return nil
}

// updateStream is ensureStream for a stream that is made with the first target: one that is not there is left alone.
func (o *Owner) updateStream(ctx context.Context, want natsjs.StreamConfig) error {
	stream, err := o.client.JetStream().Stream(ctx, want.Name)
	if errors.Is(err, natsjs.ErrStreamNotFound) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("read stream %s: %w", want.Name, err)
	}
	return o.alignStream(ctx, stream, want)
}

func (o *Owner) alignStream(ctx context.Context, stream natsjs.Stream, want natsjs.StreamConfig) error {
	have := stream.CachedInfo().Config
	next := withWanted(stream.CachedInfo(), want)
	if field := immutableField(have, next); field != "" {
		if before := have.Metadata[jetstream.MetaUID]; before != "" && want.Metadata[jetstream.MetaUID] != "" && before != want.Metadata[jetstream.MetaUID] {
			return &PredecessorError{Stream: want.Name, Field: field, UID: before}
		}
		return fmt.Errorf("stream %s: %w: %s", want.Name, ErrImmutable, field)
	}
	if reflect.DeepEqual(have, next) {
		return nil
	}
	_, err := o.client.JetStream().UpdateStream(ctx, next)
	return o.storageError(ctx, want, err)
}

// withWanted returns the stream's present configuration with the fields that are ours; what an administrator set besides
// (compression, republishing, a placement where we ask for none) stays. Limits by age or number that we do not ask for would drop
// events that nobody has got yet: they go.
//
// Dead letters wait for somebody to read them: while their stream holds some that a limit would drop, or more than it would take, the
// stream keeps the limit that it has (see heldLimits). Earlier versions made it as large as the log.
func withWanted(info *natsjs.StreamInfo, want natsjs.StreamConfig) natsjs.StreamConfig {
	have := info.Config
	next := have
	next.Description, next.Subjects = want.Description, want.Subjects
	next.Retention, next.Discard, next.Storage = want.Retention, want.Discard, want.Storage
	next.MaxConsumers, next.Replicas, next.Duplicates = want.MaxConsumers, want.Replicas, want.Duplicates
	next.AllowMsgSchedules, next.AllowDirect = want.AllowMsgSchedules, want.AllowDirect
	if want.MaxMsgSize > 0 || want.MaxMsgSize < 0 && have.Discard != want.Discard {
		next.MaxMsgSize = want.MaxMsgSize // it belongs to discarding
	}
	heldBytes, heldAge := heldLimits(info, want)
	if !heldAge {
		next.MaxAge = want.MaxAge
	}
	next.MaxMsgs, next.MaxMsgsPerSubject, next.NoAck = -1, -1, false
	switch {
	case heldBytes:
	case want.MaxBytes > 0:
		next.MaxBytes = want.MaxBytes
	case want.Discard == natsjs.DiscardOld:
		next.MaxBytes = -1
	}
	if want.Placement != nil {
		next.Placement = want.Placement
	}
	next.Metadata = withMetadata(have.Metadata, want.Metadata)
	return next
}

// withMetadata leaves the server's own keys and those of others in place.
func withMetadata(have, want map[string]string) map[string]string {
	merged := maps.Clone(have)
	if merged == nil {
		merged = map[string]string{}
	}
	maps.Copy(merged, want)
	return merged
}

func immutableField(have, next natsjs.StreamConfig) string {
	switch {
	case have.Storage != next.Storage:
		return "storage"
	case have.Retention != next.Retention:
		return "retention"
	case have.MaxConsumers != next.MaxConsumers:
		return "maxConsumers"
	}
	return ""
}

// logBytes returns the byte limit of a log: what the address asks for, else what its stream has, else DefaultMaxBytes but no
// more than 5 % of what the account may store.
func (o *Owner) logBytes(ctx context.Context, a route.Address) (int64, error) {
	if a.Log.MaxBytes > 0 {
		return a.Log.MaxBytes, nil
	}
	stream, err := o.client.JetStream().Stream(ctx, o.client.Names().Log(a.Key))
	if err == nil && stream.CachedInfo().Config.MaxBytes > 0 {
		return stream.CachedInfo().Config.MaxBytes, nil
	}
	if err != nil && !errors.Is(err, natsjs.ErrStreamNotFound) {
		return 0, fmt.Errorf("read stream %s: %w", o.client.Names().Log(a.Key), err)
	}
	account, err := o.client.JetStream().AccountInfo(ctx)
	if err != nil {
		return 0, fmt.Errorf("read the NATS account: %w", err)
	}
	limit := account.Limits.MaxStore
	if a.Log.Memory {
		limit = account.Limits.MaxMemory
	}
	if limit > 0 {
		return min(DefaultMaxBytes, limit/20), nil
	}
	return DefaultMaxBytes, nil
}

// ensureConsumer makes the consumer what is wanted, save that one that is there keeps its position. made is the new one, nil when
// there was one.
func (o *Owner) ensureConsumer(ctx context.Context, stream string, want natsjs.ConsumerConfig) (made *natsjs.ConsumerInfo, err error) {
	existing, err := o.client.JetStream().Consumer(ctx, stream, want.Durable)
	if errors.Is(err, natsjs.ErrConsumerNotFound) {
		created, err := o.client.JetStream().CreateConsumer(ctx, stream, want)
		if err != nil {
			return nil, fmt.Errorf("create consumer %s of stream %s: %w", want.Durable, stream, err)
		}
		return created.CachedInfo(), nil
	}
	if err != nil {
		return nil, fmt.Errorf("read consumer %s of stream %s: %w", want.Durable, stream, err)
	}
	return nil, o.alignConsumer(ctx, stream, existing.CachedInfo().Config, want)
}

// alignConsumer makes a consumer that is there what is wanted.
func (o *Owner) alignConsumer(ctx context.Context, stream string, have, want natsjs.ConsumerConfig) error {
	if have.AckPolicy != want.AckPolicy {
		return fmt.Errorf("consumer %s of stream %s: %w: ackPolicy", want.Durable, stream, ErrImmutable)
	}
	next, same := alignedConsumer(have, want)
	if same {
		return nil
	}
	_, err := o.client.JetStream().UpdateConsumer(ctx, stream, next)
	if errors.Is(err, natsjs.ErrConsumerMultipleFilterSubjectsNotSupported) && o.hasFilters(ctx, stream, next) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("update consumer %s of stream %s: %w", want.Durable, stream, err)
	}
	return nil
}

// alignedConsumer returns the consumer's present configuration with the fields that are ours, and whether it is that already.
func alignedConsumer(have, want natsjs.ConsumerConfig) (next natsjs.ConsumerConfig, same bool) {
	next = have
	next.Description, next.AckWait, next.MaxDeliver = want.Description, want.AckWait, want.MaxDeliver
	next.MaxAckPending = want.MaxAckPending
	next.FilterSubject, next.FilterSubjects = "", slices.Clone(jetstream.FilterSubjects(want))
	if len(next.FilterSubjects) == 0 && len(jetstream.FilterSubjects(have)) > 0 {
		// A consumer whose filter is taken away is no longer woken by new messages (nats-server 2.15); one with this filter is.
		next.FilterSubjects = []string{jetstream.Everything}
	}
	next.Metadata = withMetadata(have.Metadata, want.Metadata)
	return next, slices.Equal(jetstream.FilterSubjects(have), next.FilterSubjects) && reflect.DeepEqual(withoutFilters(have), withoutFilters(next))
}

// hasFilters asks the server again whether a consumer has the filters that it was given. nats.go calls filters unsupported when the
// answer to the request has none; but the first request after its start a server answers with the consumer as it found it
// (nats-server 2.15, consumer.initialInfo).
func (o *Owner) hasFilters(ctx context.Context, stream string, want natsjs.ConsumerConfig) bool {
	there, err := o.client.JetStream().Consumer(ctx, stream, want.Durable)
	return err == nil && slices.Equal(jetstream.FilterSubjects(there.CachedInfo().Config), want.FilterSubjects)
}

func withoutFilters(config natsjs.ConsumerConfig) natsjs.ConsumerConfig {
	config.FilterSubject, config.FilterSubjects = "", nil
	return config
}
