package owner

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/loop"

	natsjs "github.com/nats-io/nats.go/jetstream"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/buckets"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/routes"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/naming"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/naming/foreign"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/route"
)

// tombstoneLife is how long a tombstone stays after it was swept, for processes that were cut off from NATS when it came.
const tombstoneLife = 24 * time.Hour

// Owner makes streams, consumers and routes. There is one owner of a route: a controller, or kn-natsjs.
// All its steps may be repeated any number of times. Safe for concurrent use.
type Owner struct {
	// Handles, if not nil, is what operators want of targets beside the files. Set it before the first Put.
	Handles Handles

	client *jetstream.Client
	name   string
	// grace is how long the cursor of a removed target, and the log of a removed address, are kept.
	grace     time.Duration
	positions *positions

	mu sync.Mutex
	// strays are the members of shared consumers of whom there is no record, and since when.
	strays map[route.Key]map[string]time.Time
	// rescued is where the next look for overdue events begins, by address.
	rescued map[route.Key]uint64
	// logs are when the logs of addresses were made that a Put has told of.
	logs map[route.Key]time.Time
	// unfinished are the removals of this owner that have failed half-way, at the revisions of their marks: it may go on at once.
	unfinished map[string]uint64
}

// New returns an owner that signs its records with the name.
func New(c *jetstream.Client, name string, grace time.Duration) *Owner {
	return &Owner{
		client: c, name: name, grace: grace, positions: newPositions(c),
		strays: map[route.Key]map[string]time.Time{}, rescued: map[route.Key]uint64{}, logs: map[route.Key]time.Time{}, unfinished: map[string]uint64{},
	}
}

// Connected reports whether NATS is reachable now: an error of a request that was under way when it went says nothing else.
func (o *Owner) Connected() bool { return o.client.Connected() }

// Applied is where a record stands in the routes bucket.
type Applied struct {
	route.Place
	// LogMade is when the log of an address was made. Another time than before means that it was gone, with what was in it.
	LogMade time.Time
	// Refuse is the address's, as it was written: an adopted stream that does not listen to the address's subjects adds a reason.
	Refuse string
	// Lacking is why the dead-letter stream of an address is not there, or not as it should be; nil when it is. ErrHoldsMore when the
	// stream holds letters that its limits would drop.
	Lacking error
	// LacksUntil is the target's (see route.Start).
	LacksUntil *time.Time
}

// PutAddress makes the address's log, or looks at the one that it adopts, and its dead-letter
// stream, and writes its route. It takes over the log of a resource of the same name that is gone,
// if NATS can make it what is wanted. An address that is there already is written though NATS has
// no room for its dead-letter stream (see Applied.Lacking): who makes room has to edit something.
// Errors: ErrForeignRoute; ErrImmutable; ErrSweeping; PredecessorError when the log of the one that
// is gone is in the way; why NATS has no room, or that another stream listens to its subjects;
// foreign.ErrSubject; ErrNoStream and ErrNotAdoptable.
func (o *Owner) PutAddress(ctx context.Context, a route.Address) (Applied, error) {
	a.Owner = o.name
	for {
		have, err := o.present(ctx, naming.AddressKey(a.Key))
		if err != nil {
			return Applied{}, err
		}
		wanted := a
		o.notePause(&wanted, have)
		made, lacking, err := o.makeStreams(ctx, &wanted, have)
		if err != nil {
			return Applied{}, err
		}
		applied, written, err := o.put(ctx, route.Record{Address: &wanted}, have)
		if err != nil {
			return applied, err
		}
		if written {
			o.noteLog(a.Key, made)
			applied.LogMade, applied.Refuse, applied.Lacking = made, wanted.Refuse, lacking
			return applied, nil
		}
	}
}

// noteLog remembers when the log was made that a Put tells of; no time forgets the address.
func (o *Owner) noteLog(key route.Key, made time.Time) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if made.IsZero() {
		delete(o.logs, key)
		return
	}
	o.logs[key] = made
}

// isRemade reports whether the log is another one than that which the last Put has told of: somebody deleted that.
func (o *Owner) isRemade(key route.Key, log natsjs.StreamInfo) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	made, told := o.logs[key]
	return told && !made.Equal(log.Created)
}

// makeStreams makes the streams of an address that has this record, and enters in the address what was chosen for it. lacking is what
// the address can do without for a while (see ensureDeadLetters).
func (o *Owner) makeStreams(ctx context.Context, a *route.Address, have routes.StoredRecord) (made time.Time, lacking, err error) {
	if have.Address != nil {
		if err := o.changesStream(have, *a); err != nil {
			return made, nil, err
		}
	}
	if err := foreign.CheckSubjectsOf(o.client.Names(), a.Log.Subjects); err != nil {
		return made, nil, err
	}
	if a.Log.MaxBytes, err = o.logBytes(ctx, *a); err != nil {
		return made, nil, err
	}
	if made, err = o.ensureLog(ctx, a); err != nil {
		return made, nil, err
	}
	if lacking, err = o.ensureDeadLetters(ctx, *a, have); err != nil {
		return made, nil, err
	}
	return made, lacking, o.updateStream(ctx, directedConfig(o.client.Names(), *a))
}

func (o *Owner) ensureLog(ctx context.Context, a *route.Address) (made time.Time, err error) {
	if a.Log.Stream != "" {
		return o.adopt(ctx, a)
	}
	log, err := o.ensureStream(ctx, logConfig(o.client.Names(), *a))
	if err != nil {
		return time.Time{}, err
	}
	a.Log.First = log.Config.FirstSeq
	return log.Created, nil
}

// PutTarget makes the target's cursor, where its Start says, and only then writes its route: from the moment that a filter
// knows the target, nothing is missed; if it shares a consumer, from the moment that all of them do. A target that is not ready gets no cursor, unless it had one: then its events wait.
// Errors: ErrForeignRoute; ErrImmutable; ErrSweeping; ErrTooManyTargets; why NATS made no consumer.
func (o *Owner) PutTarget(ctx context.Context, t route.Target) (applied Applied, err error) {
	t.Owner = o.name
	enters := false
	defer func() {
		if err != nil && enters {
			o.takeBack(ctx, t.Key)
		}
	}()
	for {
		have, err := o.present(ctx, naming.TargetKey(t.Key))
		if err != nil {
			return Applied{}, err
		}
		had, err := o.cursorOf(ctx, t, have)
		if err != nil {
			return Applied{}, err
		}
		enters = enters || (had.consumer == "" && shares(t))
		wanted := t
		if had.consumer != "" && have.Target != nil {
			wanted.Start = have.Target.Start // where it began: a start counts once
		}
		if err := o.mergeHandles(ctx, &wanted, have); err != nil {
			return Applied{}, err
		}
		if err := o.makeCursor(ctx, &wanted, had); err != nil {
			return Applied{}, err
		}
		applied, written, err := o.put(ctx, route.Record{Target: &wanted}, have)
		if err != nil {
			return Applied{}, err
		}
		if written {
			applied.LacksUntil = wanted.Start.LacksUntil
			return applied, o.settle(ctx, wanted)
		}
	}
}

// settle makes sure that the target which was just put is a member of the consumer that it shares: another owner may have removed that
// with its last member just before (see leave), or written its members at the same moment.
func (o *Owner) settle(ctx context.Context, t route.Target) error {
	if t.Consumer != o.client.Names().SharedConsumer() {
		return nil
	}
	return o.enter(ctx, t)
}

// put writes the record in place of the one that was read. written is false when somebody else has written there since: then what was
// made for the record may be gone again.
func (o *Owner) put(ctx context.Context, r route.Record, have routes.StoredRecord) (applied Applied, written bool, err error) {
	// Read before the record is written: if the bucket is made anew in between, nobody ever reports to be past this place.
	bucket, err := o.client.BucketMade(ctx, o.client.Names().RoutesBucket())
	if err != nil {
		return Applied{}, false, err
	}
	revision, written, err := o.swapRecord(ctx, routes.StoredRecord{Record: r, Revision: have.Revision})
	return Applied{Place: route.Place{Key: routes.RecordKey(r), Revision: revision, Bucket: bucket}}, written, err
}

// present reads what is at the key, and keeps an owner from changing the streams and consumers behind a route that is not
// its own: ErrForeignRoute; or that are being removed: it waits a moment for that, and then it is ErrSweeping. A route of which there
// is nothing to be read has neither address nor target.
func (o *Owner) present(ctx context.Context, key string) (routes.StoredRecord, error) {
	for waited := time.Duration(0); ; waited += sweepingPause {
		have, _, err := Record(ctx, o.client, key)
		switch {
		case err != nil:
			return have, err
		case have.Owner() != "" && have.DeletedAt == nil && have.Owner() != o.name:
			return have, fmt.Errorf("%s: %w (%s)", key, ErrForeignRoute, have.Owner())
		case have.Sweeping == nil || have.Swept:
			return have, nil
		case waited > jetstream.RequestTimeout:
			return have, fmt.Errorf("%s: %w", key, ErrSweeping)
		}
		loop.Sleep(ctx, sweepingPause)
	}
}

// RemoveTarget ends the target's route. Its cursor is kept for the grace period and then removed by Sweep.
func (o *Owner) RemoveTarget(ctx context.Context, key route.TargetKey) error {
	return o.bury(ctx, naming.TargetKey(key))
}

// RemoveAddress ends the address's route. Its log is kept for the grace period and then removed by Sweep.
func (o *Owner) RemoveAddress(ctx context.Context, key route.Key) error {
	return o.bury(ctx, naming.AddressKey(key))
}

func (o *Owner) bury(ctx context.Context, key string) error {
	for {
		have, err := o.present(ctx, key)
		if err != nil || have.Owner() == "" || have.DeletedAt != nil {
			return err
		}
		// One that was written meanwhile ends all the same if it is still ours.
		if ended, err := o.end(ctx, have); err != nil || ended {
			return err
		}
	}
}

// Refuse has the ingress refuse, for this reason, what is sent to an address that has a route of this owner, or take it again when
// why is empty. Nothing else of the route changes. Errors: ErrForeignRoute; ErrConflict when somebody wrote the route meanwhile.
func (o *Owner) Refuse(ctx context.Context, key route.Key, why string) error {
	have, err := o.present(ctx, naming.AddressKey(key))
	if err != nil || have.Address == nil || have.DeletedAt != nil || have.Address.Refuse == why {
		return err
	}
	have.Address.Refuse = why
	_, replaced, err := o.swapRecord(ctx, have)
	if err == nil && !replaced {
		err = fmt.Errorf("%s: %w", naming.AddressKey(key), ErrConflict)
	}
	return err
}

// End ends the route that was read, unless it was written again since then; one of Unrecorded, unless it was written at all. Like Remove,
// it leaves what the route had to Sweep.
func (o *Owner) End(ctx context.Context, r routes.StoredRecord) error {
	_, err := o.end(ctx, r)
	return err
}

// end makes the record a tombstone; it is false when somebody wrote it meanwhile. A target that shares stays a member until it is swept.
func (o *Owner) end(ctx context.Context, r routes.StoredRecord) (ended bool, err error) {
	now := time.Now().UTC()
	r.DeletedAt = &now
	if r.Address != nil {
		o.noteLog(r.Address.Key, time.Time{})
	}
	_, ended, err = o.swapRecord(ctx, r)
	return ended, err
}

// Owned returns the live records of this owner, read from the server. A bucket that was deleted by hand is made again, empty.
func (o *Owner) Owned(ctx context.Context) ([]routes.StoredRecord, error) {
	live, _, err := o.OwnedAndEnding(ctx)
	return live, err
}

// OwnedAndEnding returns, beside what Owned returns, the tombstones whose grace period is not over.
// Errors: route.ErrRecord when some cannot be read; the others are returned with it.
func (o *Owner) OwnedAndEnding(ctx context.Context) (live, ending []routes.StoredRecord, err error) {
	all, err := routes.Records(ctx, o.client, "")
	if errors.Is(err, natsjs.ErrBucketNotFound) {
		return nil, nil, buckets.Ensure(ctx, o.client)
	}
	if err != nil && !errors.Is(err, route.ErrRecord) {
		return nil, nil, err
	}
	for _, r := range all {
		switch {
		case r.Owner() != o.name:
		case r.DeletedAt == nil:
			live = append(live, r)
		case !r.Swept:
			ending = append(ending, r)
		}
	}
	return live, ending, err
}
