package replay

import (
	"context"
	"fmt"
	"time"

	natsjs "github.com/nats-io/nats.go/jetstream"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/dispatch"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/loop"
)

const (
	// window is how many events may wait for the target in the directed stream while more are parked:
	// a replay takes the room of the log's budget that live events need, so it goes at the target's pace.
	window = 1024
	// roomPause is the time between two looks whether the target has taken some.
	roomPause = 100 * time.Millisecond
)

// awaitRoom waits until the target has taken enough of what waits for it, and for the pace, and
// returns the first of the works, at least one, that may be parked now.
func (s *storing) awaitRoom(ctx context.Context, works []dispatch.Work) ([]dispatch.Work, error) {
	for s.room <= 0 {
		waiting, err := s.waiting(ctx)
		if err != nil {
			return nil, err
		}
		if s.room = window - waiting; s.room <= 0 && !loop.Sleep(ctx, roomPause) {
			return nil, ctx.Err()
		}
	}
	some := works[:min(len(works), s.room)]
	if s.pace.Limit() < batch { // in steps of a second or less
		some = some[:1]
	}
	for range some {
		if err := s.pace.Wait(ctx); err != nil {
			return nil, err
		}
	}
	s.room -= len(some)
	return some, nil
}

// waiting counts what waits for the target alone.
func (s *storing) waiting(ctx context.Context) (int, error) {
	names := s.client.Names()
	name := names.DirectedStream(s.target.Key.Address)
	stream, err := s.client.JetStream().Stream(ctx, name)
	if err != nil {
		return 0, fmt.Errorf("read stream %s: %w", name, err)
	}
	count := 0
	for _, subject := range []string{names.ParkedSubjectsOf(s.target.Key), names.DirectedSubject(s.target.Key)} {
		info, err := stream.Info(ctx, natsjs.WithSubjectFilter(subject))
		if err != nil {
			return 0, fmt.Errorf("read stream %s: %w", name, err)
		}
		for _, messages := range info.State.Subjects {
			count += int(messages) //nolint:gosec // no stream holds as many
		}
	}
	return count, nil
}
