package status

import (
	"context"
	"errors"
	"fmt"
	"time"

	natsjs "github.com/nats-io/nats.go/jetstream"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/codec"
)

// readOldest finds when the oldest event was stored that a target with a backlog may still get.
func (s *Status) readOldest(ctx context.Context, c *jetstream.Client) error {
	for i := range s.Targets {
		t := &s.Targets[i]
		log := s.logs[t.Key.Address]
		if t.Backlog == 0 || !log.known {
			continue
		}
		if log.backlog[t.Consumer] > 0 {
			at, read := log.oldest[t.Consumer]
			if !read {
				var err error
				if at, err = oldestIn(ctx, c, c.StreamOf(t.Target), message{log.floors[t.Consumer] + 1, ">"}); err != nil {
					return err
				}
				log.oldest[t.Consumer] = at
			}
			t.Oldest = at
		}
		if log.directed[t.Key] > 0 {
			for _, subject := range []string{c.Names().ParkedSubjectsOf(t.Key), c.Names().DirectedSubject(t.Key)} {
				at, err := oldestIn(ctx, c, c.Names().DirectedStream(t.Key.Address), message{1, subject})
				if err != nil {
					return err
				}
				t.Oldest = earlier(t.Oldest, at)
			}
		}
	}
	for i := range s.Addresses {
		for _, t := range s.Targets {
			if a := &s.Addresses[i]; t.Key.Address == a.Key {
				a.Oldest = earlier(a.Oldest, t.Oldest)
			}
		}
	}
	return nil
}

// message is the first one on a subject at a sequence or after it.
type message struct {
	from    uint64
	subject string
}

// oldestIn returns when the event of the message was stored in its log; zero when there is none.
func oldestIn(ctx context.Context, c *jetstream.Client, name string, m message) (time.Time, error) {
	stream, err := c.JetStream().Stream(ctx, name)
	if err != nil {
		return time.Time{}, fmt.Errorf("read stream %s: %w", name, err)
	}
	found, err := stream.GetMsg(ctx, m.from, natsjs.WithGetMsgSubject(m.subject))
	if errors.Is(err, natsjs.ErrMsgNotFound) {
		return time.Time{}, nil
	}
	if err != nil {
		return time.Time{}, fmt.Errorf("read stream %s: %w", name, err)
	}
	if at, err := time.Parse(time.RFC3339Nano, found.Header.Get(codec.HeaderStored)); err == nil {
		return at, nil
	}
	return found.Time, nil
}

// earlier is the earlier of two times, of which a zero one does not count.
func earlier(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}
