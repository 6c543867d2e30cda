package letters

import (
	"context"
	"errors"
	"strconv"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/dispatch"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/park"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/publish"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/route"
)

// RetryCount is the extension attribute of an event that was retried as a dead letter: how often.
const RetryCount = "jetstreamretry"

// Retry has the selected letters delivered to the target that could not get the event, and to no
// other, each with all attempts of the target's delivery policy. A letter is removed when NATS has
// stored the copy that is to be delivered.
//
// Retry can be interrupted, and done again: the copy of a letter that was not removed has the same
// name in the second run, and within jetstream.DuplicateWindow NATS drops it. After that the event
// is delivered once more, at most.
func Retry(ctx context.Context, c *jetstream.Client, s Selection) (Outcome, error) {
	sender, err := publish.NewSender(c)
	if err != nil {
		return Outcome{}, err
	}
	from, err := streamsOf(ctx, c, s)
	if err != nil {
		return Outcome{}, err
	}
	store := park.New(c, sender, addressesOf(from))
	return forAll(ctx, allOf(ctx, from, s), func(ctx context.Context, l Letter) error {
		if err := l.Obstacle(); err != nil {
			return err
		}
		err := store.Park(ctx, *l.live, l.again(), c.Timing().Now())
		if errors.Is(err, dispatch.ErrTooLarge) {
			return ErrTooLarge
		}
		if err != nil {
			return err
		}
		return l.remove(ctx)
	})
}

// CountRetries tells what Retry would do, and changes nothing.
func CountRetries(ctx context.Context, c *jetstream.Client, s Selection) (Outcome, error) {
	return forAll(ctx, All(ctx, c, s), func(_ context.Context, l Letter) error { return l.Obstacle() })
}

// addresses are park.Addresses.
type addresses map[route.Key]route.Address

func addressesOf(from []*letterStream) addresses {
	all := addresses{}
	for _, d := range from {
		all[d.address.Key] = d.address
	}
	return all
}

func (a addresses) Address(key route.Key) (route.Address, bool) {
	address, found := a[key]
	return address, found
}

// again is the next run of the letter's work, as if nothing had been tried.
func (l Letter) again() dispatch.Work {
	retries, _ := strconv.ParseUint(l.Event.Attr(RetryCount), 10, 32) // what others have written there counts as none
	return dispatch.Work{
		Event: l.Event.With(RetryCount, strconv.FormatUint(retries+1, 10)), Sequence: l.Sequence, Stored: l.Stored, Run: l.Run + 1,
	}
}
