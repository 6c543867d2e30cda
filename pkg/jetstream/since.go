package jetstream

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// Span is a part of a stream: the sequences from First to before End.
type Span struct{ First, End uint64 }

// FirstSince returns the sequence of the first message of the span that was stored at the time or
// later, found by bisection; the span's End when no message was.
func FirstSince(ctx context.Context, stream jetstream.Stream, in Span, at time.Time) (uint64, error) {
	low, high := in.First, in.End // everything below low is older; high and above may be younger
	for low < high {
		middle := low + (high-low)/2
		m, err := stream.GetMsg(ctx, middle, jetstream.WithGetMsgSubject(Everything))
		switch {
		case err != nil && !errors.Is(err, jetstream.ErrMsgNotFound):
			return 0, fmt.Errorf("look for what was stored since %s: %w", at.Format(time.RFC3339), err)
		case err == nil && m.Time.Before(at):
			low = min(m.Sequence+1, in.End)
		default:
			high = middle
		}
	}
	return low, nil
}
