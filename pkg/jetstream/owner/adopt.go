package owner

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	natsjs "github.com/nats-io/nats.go/jetstream"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/routes"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/naming"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/naming/foreign"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/route"
)

// An address can adopt a stream that somebody else has made and looks after (route.Log.Stream). We put our cursors into it and
// take them away again; nothing else of it is ours. So nothing in it waits for us either: what its own limits drop, is dropped.
// What is parked, and dead letters, are in streams of ours as ever.

// consumerOf names the consumer that is the target's cursor.
func (o *Owner) consumerOf(t route.Target) string {
	if t.Stream != "" {
		return o.client.Names().ForeignConsumer(t.Key)
	}
	return o.client.Names().Consumer(t.Key)
}

// adopt looks at the stream that the address is to adopt, and notes in the address when it does not take what comes in by HTTP.
// It returns when the stream was made. Errors: ErrNoStream, ErrNotAdoptable.
func (o *Owner) adopt(ctx context.Context, a *route.Address) (made time.Time, err error) {
	name := a.Log.Stream
	if !foreign.LegalStream(name) || foreign.IsOwnStream(o.client.Names(), name) {
		return time.Time{}, fmt.Errorf("%w: %s", ErrNotAdoptable, name)
	}
	stream, err := o.client.JetStream().Stream(ctx, name)
	if errors.Is(err, natsjs.ErrStreamNotFound) {
		return time.Time{}, fmt.Errorf("%w: %s", ErrNoStream, name)
	}
	if err != nil {
		return time.Time{}, fmt.Errorf("read stream %s: %w", name, err)
	}
	config := stream.CachedInfo().Config
	if config.Metadata[jetstream.MetaUse] != "" { // of another installation on the same account
		return time.Time{}, fmt.Errorf("%w: %s is the log of %s %s/%s", ErrNotAdoptable, name,
			config.Metadata[jetstream.MetaKind], config.Metadata[jetstream.MetaNamespace], config.Metadata[jetstream.MetaName])
	}
	a.Refuse = cmp.Or(a.Refuse, whyNotByHTTP(config, o.client.Names().LogSubjects(a.Key)))
	return stream.CachedInfo().Created, nil
}

// whyNotByHTTP says why what comes in by HTTP, for the subject, cannot be stored in the stream; "" when it can.
func whyNotByHTTP(stream natsjs.StreamConfig, subject string) string {
	why := ""
	switch {
	case !slices.ContainsFunc(stream.Subjects, func(s string) bool { return foreign.Covers(s, subject) }):
		why = "does not listen to " + subject
	case stream.NoAck:
		why = "does not confirm what it stores"
	default:
		return ""
	}
	return fmt.Sprintf("stream %s %s: only what NATS publishers send to it is delivered", stream.Name, why)
}

// changesStream keeps an address from leaving its log behind for another stream: ErrImmutable for the same resource; for a later one of
// the same name PredecessorError, until the streams of the one before are removed.
func (o *Owner) changesStream(have routes.StoredRecord, a route.Address) error {
	switch {
	case have.Address.Log.Stream == a.Log.Stream || have.Swept:
		return nil
	case have.DeletedAt == nil && have.Address.UID == a.UID:
		return fmt.Errorf("stream %s: %w: stream", o.client.LogOf(*have.Address), ErrImmutable)
	}
	return &PredecessorError{Stream: o.client.LogOf(*have.Address), Field: "stream", UID: have.Address.UID}
}

// foreignSubjects are what the target's cursor reads of a stream that is not ours; none means all of it.
func (o *Owner) foreignSubjects(t route.Target) []string {
	if len(t.Subjects) == 0 {
		return nil
	}
	return append([]string{o.client.Names().LogSubjects(t.Key.Address)}, t.Subjects...)
}

// leaveStream takes the cursor of a target out of a stream that is not ours, where it would be in the way of others for ever.
func (o *Owner) leaveStream(ctx context.Context, t route.Target) error {
	if t.Stream == "" {
		return nil // it goes with its log
	}
	return jetstream.IgnoreMissing(o.client.Removals().DeleteConsumer(ctx, t.Stream, o.consumerOf(t)))
}

// removeForeign takes the cursors of an address's targets out of the stream that it had adopted.
func (o *Owner) removeForeign(ctx context.Context, a route.Address) error {
	records, err := routes.Records(ctx, o.client, naming.TargetKeysOf(a.Key))
	if err != nil && !errors.Is(err, route.ErrRecord) {
		return err
	}
	errs := []error{err}
	for _, r := range records {
		errs = append(errs, jetstream.IgnoreMissing(o.client.Removals().DeleteConsumer(ctx, a.Log.Stream, o.client.Names().ForeignConsumer(r.Target.Key))))
	}
	return errors.Join(errs...)
}
