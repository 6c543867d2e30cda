package letters

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"sync"

	natsjs "github.com/nats-io/nats.go/jetstream"
	"golang.org/x/sync/errgroup"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream"
)

// atATime is how many letters are retried or dropped at a time.
const atATime = 32

// Outcome is what became of the selected letters.
type Outcome struct {
	// Done letters were retried or dropped, and are gone.
	Done int
	// Kept letters could not be retried, and are there as before. Why counts them by reason.
	Kept int
	Why  map[string]int
}

// CountDrops tells what Drop would do, and changes nothing.
func CountDrops(ctx context.Context, c *jetstream.Client, s Selection) (Outcome, error) {
	return forAll(ctx, All(ctx, c, s), func(context.Context, Letter) error { return nil })
}

// Drop removes the selected letters for good.
func Drop(ctx context.Context, c *jetstream.Client, s Selection) (Outcome, error) {
	return forAll(ctx, All(ctx, c, s), func(ctx context.Context, l Letter) error { return l.remove(ctx) })
}

// forAll does so with several letters at a time, until all is done, ctx has ended, or something has
// failed that is no obstacle of one letter. What was begun is finished.
func forAll(ctx context.Context, all iter.Seq2[Letter, error], do func(context.Context, Letter) error) (Outcome, error) {
	t := tally{Outcome: Outcome{Why: map[string]int{}}}
	group, each := errgroup.WithContext(ctx)
	group.SetLimit(atATime)
	var unread error
	for l, err := range all {
		if err != nil || each.Err() != nil {
			unread = err
			break
		}
		group.Go(func() error { return t.count(do(each, l)) })
	}
	err := group.Wait()
	return t.Outcome, cmp.Or(err, unread, ctx.Err())
}

// tally counts outcomes. Safe for concurrent use.
type tally struct {
	mu sync.Mutex
	Outcome
}

// count returns the errors that are no obstacles.
func (t *tally) count(err error) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	switch {
	case err == nil:
		t.Done++
	case errors.Is(err, ErrNoTarget), errors.Is(err, ErrReference), errors.Is(err, ErrUnreadable), errors.Is(err, ErrTooLarge):
		t.Kept++
		t.Why[err.Error()]++
	default:
		return err
	}
	return nil
}

// remove deletes the letter, also when ctx has ended: what was begun is finished. A letter that is
// gone already is removed.
func (l Letter) remove(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), jetstream.RequestTimeout)
	defer cancel()
	err := l.stream.DeleteMsg(ctx, l.Place)
	if errors.Is(err, natsjs.ErrMsgDeleteUnsuccessful) { // which does not say why
		if _, gone := l.stream.GetMsg(ctx, l.Place); errors.Is(gone, natsjs.ErrMsgNotFound) {
			return nil
		}
	}
	if err != nil {
		return fmt.Errorf("delete dead letter %d of %s: %w", l.Place, l.Address, err)
	}
	return nil
}
