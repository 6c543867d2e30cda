package jetstream

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/naming"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/route"
)

// tombstoneLife is how long a tombstone stays after it was swept, for processes that were cut off from NATS when it came.
const tombstoneLife = 24 * time.Hour

// Owner makes streams, consumers and routes. There is one owner of a route: a controller, or kn-jetstream.
// All its steps may be repeated any number of times. Safe for concurrent use.
type Owner struct {
	// Remade, if not nil, is called by Sweep for each address whose log was gone and is made again. Set it before the first Sweep.
	Remade func(route.Key)

	client *Client
	name   string
	// grace is how long the cursor of a removed target, and the log of a removed address, are kept.
	grace time.Duration
	// changing is held by those who put routes, and by one alone who ends a route or removes what it had.
	changing  sync.RWMutex
	positions *positions
}

// NewOwner returns an owner that signs its records with the name.
func (c *Client) NewOwner(name string, grace time.Duration) *Owner {
	return &Owner{client: c, name: name, grace: grace, positions: newPositions(c)}
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
}

// PutAddress makes the address's log, or looks at the one that it adopts, and writes its route. It takes over the log of a resource
// of the same name that is gone, if NATS can make it what is wanted.
// Errors: ErrForeignRoute; ErrImmutable; PredecessorError when the log of the one that is gone is in the way; why NATS has no room, or
// that another stream listens to its subjects; naming.ErrForeignSubject; ErrNoStream and ErrNotAdoptable.
func (o *Owner) PutAddress(ctx context.Context, a route.Address) (Applied, error) {
	o.changing.RLock()
	defer o.changing.RUnlock()
	a.Owner = o.name
	have, found, err := o.present(ctx, naming.AddressKey(a.Key))
	if err == nil && found {
		err = o.client.changesStream(have, a)
	}
	if err == nil {
		err = o.client.names.CheckSubjects(a.Log.Subjects)
	}
	if err != nil {
		return Applied{}, err
	}
	bytes, err := o.client.logBytes(ctx, a)
	if err != nil {
		return Applied{}, err
	}
	a.Log.MaxBytes = bytes
	made, err := o.ensureLog(ctx, &a)
	if err != nil {
		return Applied{}, err
	}
	for _, config := range []jetstream.StreamConfig{directedConfig(o.client.names, a), deadLetterConfig(o.client.names, a)} {
		if err := o.client.updateStream(ctx, config); err != nil {
			return Applied{}, err
		}
	}
	applied, err := o.put(ctx, route.Record{Address: &a})
	applied.LogMade, applied.Refuse = made, a.Refuse
	return applied, err
}

func (o *Owner) ensureLog(ctx context.Context, a *route.Address) (made time.Time, err error) {
	if a.Log.Stream != "" {
		return o.client.adopt(ctx, a)
	}
	log, err := o.client.ensureStream(ctx, logConfig(o.client.names, *a))
	if err != nil {
		return time.Time{}, err
	}
	a.Log.First = log.Config.FirstSeq
	return log.Created, nil
}

// PutTarget makes the target's cursor, where its Start says, and only then writes its route: from the moment that a filter
// knows the target, nothing is missed; if it shares a consumer, from the moment that all of them do. A target that is not ready gets no cursor, unless it had one: then its events wait.
// Errors: ErrForeignRoute; ErrImmutable; why NATS made no consumer.
func (o *Owner) PutTarget(ctx context.Context, t route.Target) (Applied, error) {
	o.changing.RLock()
	defer o.changing.RUnlock()
	t.Owner = o.name
	have, found, err := o.present(ctx, naming.TargetKey(t.Key))
	if err != nil {
		return Applied{}, err
	}
	had := cursor{has: found && have.Target.Consumer != ""}
	if had.has {
		had.shared, had.after = have.Target.Shared, have.Target.After
	}
	switch {
	case found && have.Target.Stream != t.Stream:
		had = cursor{} // what it had is in another stream
		if err := o.client.leaveStream(ctx, *have.Target); err != nil {
			return Applied{}, err
		}
	case !found || have.DeletedAt != nil:
		if had, err = o.cursorOf(ctx, t); err != nil {
			return Applied{}, err
		}
	}
	t.Consumer, t.Shared, t.After = "", false, 0
	if t.NotReady == "" || had.has {
		err := o.ensureCursor(ctx, &t, had)
		if errors.Is(err, jetstream.ErrStreamNotFound) && t.NotReady != "" {
			t.Consumer, t.Shared, t.After = "", false, 0 // the log is gone with its address, and the cursor with the log
		} else if err != nil {
			return Applied{}, err
		}
	}
	return o.put(ctx, route.Record{Target: &t})
}

func (o *Owner) put(ctx context.Context, r route.Record) (Applied, error) {
	at, err := o.client.PutRecord(ctx, r)
	return Applied{Place: at}, err
}

// present reads what is at the key, and keeps an owner from changing the streams and consumers behind a route that is not
// its own: ErrForeignRoute.
func (o *Owner) present(ctx context.Context, key string) (have StoredRecord, found bool, err error) {
	have, found, err = o.client.record(ctx, key)
	if err == nil && found && have.DeletedAt == nil && have.Owner() != o.name {
		return have, found, fmt.Errorf("%s: %w (%s)", key, ErrForeignRoute, have.Owner())
	}
	return have, found, err
}

// cursor is what a target had before.
type cursor struct {
	has, shared bool
	// after is the target's After, if it shares.
	after uint64
}

// cursorOf tells what cursor a target that was removed, or whose record is lost, still has: then it takes that over.
// One whose consumer was deleted by hand has it too, until a sweep gives it up.
func (o *Owner) cursorOf(ctx context.Context, t route.Target) (cursor, error) {
	_, err := o.client.js.Consumer(ctx, o.client.streamOf(t), o.client.consumerOf(t))
	if err == nil {
		return cursor{has: true}, nil
	}
	if ignoreMissing(err) != nil {
		return cursor{}, fmt.Errorf("read the cursor of %s: %w", t.Key, err)
	}
	at, known, err := o.positions.read(ctx, naming.TargetKey(t.Key))
	return cursor{has: known, shared: at.Shared, after: at.Floor}, err
}

// ensureCursor makes the target's cursor and enters it in the target: a new one where its Start says; one that it had and has lost where
// that stood.
func (o *Owner) ensureCursor(ctx context.Context, t *route.Target, had cursor) error {
	stream := o.client.streamOf(*t)
	handle, err := o.client.js.Stream(ctx, stream)
	if err != nil {
		return fmt.Errorf("read stream %s: %w", stream, err)
	}
	log := handle.CachedInfo()
	if had.shared {
		return o.join(ctx, t, had.after, log)
	}
	if !had.has && o.shares(*t, log) {
		return o.join(ctx, t, log.State.LastSeq, log)
	}
	t.Consumer = o.client.consumerOf(*t)
	config := startAt(o.client.cursorConfig(*t), t.Start, log.Config)
	if had.has {
		if config, err = o.startAgain(ctx, *t, log); err != nil {
			return err
		}
	}
	made, err := o.client.ensureConsumer(ctx, stream, config)
	if err != nil || made == nil {
		return err
	}
	return o.positions.remember(ctx, naming.TargetKey(t.Key), position{Log: log.Created, Floor: made.AckFloor.Stream})
}

// startAgain is the consumer of a target whose cursor is lost: it begins where that stood.
func (o *Owner) startAgain(ctx context.Context, t route.Target, log *jetstream.StreamInfo) (jetstream.ConsumerConfig, error) {
	next, err := o.positions.next(ctx, naming.TargetKey(t.Key), log)
	return startAt(o.client.cursorConfig(t), route.Start{Policy: route.StartSequence, Sequence: next}, log.Config), err
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
	have, found, err := o.present(ctx, key)
	if err != nil || !found || have.DeletedAt != nil {
		return err
	}
	replaced, err := o.end(ctx, have)
	if err == nil && !replaced {
		return o.bury(ctx, key) // written meanwhile: by us it ends all the same, by another owner it does not
	}
	return err
}

// Refuse has the ingress refuse, for this reason, what is sent to an address that has a route of this owner, or take it again when
// why is empty. Nothing else of the route changes. Errors: ErrForeignRoute; ErrConflict when somebody wrote the route meanwhile.
func (o *Owner) Refuse(ctx context.Context, key route.Key, why string) error {
	have, found, err := o.present(ctx, naming.AddressKey(key))
	if err != nil || !found || have.DeletedAt != nil || have.Address.Refuse == why {
		return err
	}
	have.Address.Refuse = why
	replaced, err := o.client.replaceRecord(ctx, have)
	if err == nil && !replaced {
		err = fmt.Errorf("%s: %w", naming.AddressKey(key), ErrConflict)
	}
	return err
}

// End ends the route that was read, unless it was written again since then. Like Remove, it leaves what the route had to Sweep.
func (o *Owner) End(ctx context.Context, r StoredRecord) error {
	if r.Revision == 0 {
		return o.endUnrecorded(ctx, r.Record)
	}
	_, err := o.end(ctx, r)
	return err
}

// end makes the record a tombstone; it is false when somebody wrote it meanwhile. Nobody puts it anew while it gets what it needs for its
// grace period.
func (o *Owner) end(ctx context.Context, r StoredRecord) (bool, error) {
	o.changing.Lock()
	defer o.changing.Unlock()
	if r.Target != nil {
		t := *r.Target
		if err := o.leaveShared(ctx, &t); err != nil {
			return false, err
		}
		r.Target = &t
	}
	now := time.Now().UTC()
	r.DeletedAt = &now
	return o.client.replaceRecord(ctx, r)
}

// Owned returns the live records of this owner, read from the server. A bucket that was deleted by hand is made again, empty.
func (o *Owner) Owned(ctx context.Context) ([]StoredRecord, error) {
	live, _, err := o.OwnedAndEnding(ctx)
	return live, err
}

// OwnedAndEnding returns, beside what Owned returns, the tombstones whose grace period is not over.
func (o *Owner) OwnedAndEnding(ctx context.Context) (live, ending []StoredRecord, err error) {
	all, err := o.client.Records(ctx, "")
	if errors.Is(err, jetstream.ErrBucketNotFound) {
		return nil, nil, o.client.EnsureBuckets(ctx)
	}
	if err != nil {
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
	return live, ending, nil
}
