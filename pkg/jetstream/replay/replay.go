package replay

import (
	"context"
	"errors"
	"fmt"
	"time"

	natsjs "github.com/nats-io/nats.go/jetstream"
	"golang.org/x/sync/errgroup"
	"golang.org/x/time/rate"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/dispatch"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/park"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/publish"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/routes"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/route"
)

const (
	// Attribute is the extension attribute of a replayed event: when the replay began.
	Attribute = "jetstreamreplay"
	// noteEvery is how often is noted what was read and not meant.
	noteEvery = time.Second
	// atATime is how many events are parked at a time.
	atATime = 32
)

// Of names a Trigger, or a Subscription.
type Of struct {
	Kind            route.Kind
	Namespace, Name string
}

// Replay is one for one target.
type Replay struct {
	Record
	History History

	client  *jetstream.Client
	target  route.Target
	address route.Address
	log     *reader
	match   Matcher
	records records
}

// Look finds the target and its log, and changes nothing. Errors: ErrNoTarget, ErrConsuming; what is wrong with the slice.
func Look(ctx context.Context, c *jetstream.Client, of Of, s Slice) (*Replay, error) {
	r := &Replay{client: c, Record: Record{Slice: s, Began: c.Timing().Now().UTC().Truncate(time.Microsecond)}}
	if err := r.find(ctx, of); err != nil {
		return nil, err
	}
	return r, r.open(ctx)
}

// Begin notes that a replay begins of which Look was called. Error: ErrUnfinished, unless anew says to
// forget what was begun before.
func (r *Replay) Begin(ctx context.Context, anew bool) (err error) {
	if r.records, err = openRecords(ctx, r.client, r.target.Key); err != nil {
		return err
	}
	before, err := r.records.unfinished(ctx, r.target.UID)
	switch {
	case err == nil && !anew:
		return fmt.Errorf("%w: that of %s has come to %d events", ErrUnfinished, before.Began.Format(time.RFC3339), before.Replayed)
	case err != nil && !errors.Is(err, ErrNoneUnfinished):
		return err
	}
	r.revision = before.revision
	return r.records.write(ctx, &r.Record)
}

// Resume goes on with the replay that was begun last. Errors: ErrNoTarget, ErrConsuming, ErrNoneUnfinished.
func Resume(ctx context.Context, c *jetstream.Client, of Of) (*Replay, error) {
	r := &Replay{client: c}
	if err := r.find(ctx, of); err != nil {
		return nil, err
	}
	var err error
	if r.records, err = openRecords(ctx, c, r.target.Key); err != nil {
		return nil, err
	}
	if r.Record, err = r.records.unfinished(ctx, r.target.UID); err != nil {
		return nil, err
	}
	return r, r.open(ctx)
}

// find reads the routes of the target and of its address.
func (r *Replay) find(ctx context.Context, of Of) error {
	all, err := routes.Records(ctx, r.client, "")
	if err != nil && !errors.Is(err, route.ErrRecord) && !errors.Is(err, natsjs.ErrBucketNotFound) {
		return err
	}
	addresses := map[route.Key]route.Address{}
	found := false
	for _, one := range all {
		switch {
		case one.DeletedAt != nil:
		case one.Address != nil:
			addresses[one.Address.Key] = *one.Address
		case one.Target.Key.Address.Kind == of.Kind && one.Target.Key.Namespace == of.Namespace && one.Target.DisplayName() == of.Name:
			r.target, found = *one.Target, true
		}
	}
	address, served := addresses[r.target.Key.Address]
	if !found || !served {
		return ErrNoTarget
	}
	r.address, r.UID = address, r.target.UID
	return nil
}

// open opens the log at the next sequence.
func (r *Replay) open(ctx context.Context) (err error) {
	if r.match, err = NewMatcher(r.Slice, r.target); err != nil {
		return err
	}
	if r.log, err = openLog(ctx, r.client, r.target); err != nil {
		return err
	}
	r.History = r.log.history(r.Slice, r.address)
	if r.Last == 0 {
		r.Next, r.Last, r.log.from = r.History.First, r.History.Last, r.Slice.From
	}
	r.log.next = r.Next
	return nil
}

// Count tells how many events Run would replay, and when the first and the last of them were stored.
func (r *Replay) Count(ctx context.Context) (count int, first, last time.Time, err error) {
	defer r.log.close(ctx)
	for {
		works, more, err := r.read(ctx)
		for _, w := range works {
			count++
			if first.IsZero() {
				first = w.Stored
			}
			last = w.Stored
		}
		if err != nil || !more {
			return count, first, last, err
		}
	}
}

// read returns those of the next events that are meant, and whether more may come.
func (r *Replay) read(ctx context.Context) (meant []dispatch.Work, more bool, err error) {
	works, err := r.log.more(ctx)
	if err != nil || len(works) == 0 {
		return nil, false, err
	}
	for _, w := range works {
		if w.Sequence > r.Last || r.match.ends(w) {
			return meant, false, nil
		}
		if r.match.Has(w) {
			meant = append(meant, w)
		}
	}
	return meant, r.log.next <= r.Last, nil
}

// Run replays what is left, at most perSecond events in a second (0: as fast as the target takes them), and
// tells after each batch. A replay that ctx ends, or an error, can be resumed; the batch that was begun is finished.
// Errors: ErrTakenOver.
func (r *Replay) Run(ctx context.Context, perSecond float64, tell func(Record)) error {
	defer r.log.close(ctx)
	sender, err := publish.NewSender(r.client)
	if err != nil {
		return err
	}
	s := &storing{Replay: r, store: park.New(r.client, sender, one(r.address)), pace: rate.NewLimiter(rate.Inf, 1)}
	if perSecond > 0 {
		s.pace = rate.NewLimiter(rate.Limit(perSecond), 1)
	}
	noted := time.Now()
	for more := true; more; {
		var works []dispatch.Work
		if works, more, err = r.read(ctx); err != nil {
			return err
		}
		for len(works) > 0 && err == nil {
			var some []dispatch.Work
			if some, err = s.awaitRoom(ctx, works); err == nil {
				works = works[len(some):]
				err = s.park(ctx, some)
			}
		}
		if err != nil {
			return err
		}
		r.Next = r.log.next
		if time.Since(noted) > noteEvery { // where few events are meant
			if err := r.note(ctx); err != nil {
				return err
			}
			noted = time.Now()
		}
		tell(r.Record)
	}
	return r.records.end(ctx, r.Record)
}

// note writes how far the replay has come, also when ctx has ended.
func (r *Replay) note(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), jetstream.RequestTimeout)
	defer cancel()
	return r.records.write(ctx, &r.Record)
}

// one is park.Addresses with one address.
type one route.Address

func (o one) Address(key route.Key) (route.Address, bool) { return route.Address(o), o.Key == key }

// storing parks the events of a replay.
type storing struct {
	*Replay
	store *park.Store
	pace  *rate.Limiter
	// room is how many may be parked before NATS is asked again how many wait.
	room int
}

// again is the event as a work of this replay.
func (s *storing) again(w dispatch.Work) dispatch.Work {
	return dispatch.Work{
		Event: w.Event.With(Attribute, s.Began.Format(time.RFC3339Nano)), Sequence: w.Sequence, Stored: w.Stored, Run: s.run(),
	}
}

// park parks the works, several at a time, and notes each batch with its last sequence.
func (s *storing) park(ctx context.Context, works []dispatch.Work) error {
	begun := context.WithoutCancel(ctx)
	var group errgroup.Group
	group.SetLimit(atATime)
	for _, w := range works {
		group.Go(func() error { return s.store.Park(begun, s.target, s.again(w), s.client.Timing().Now()) })
	}
	if err := group.Wait(); err != nil {
		return err
	}
	s.Replayed += len(works)
	s.Next = works[len(works)-1].Sequence + 1
	return s.note(ctx)
}
