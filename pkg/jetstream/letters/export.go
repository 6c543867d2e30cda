package letters

import (
	"context"
	"io"
	"strconv"
	"time"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/delivery"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/event"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream"
)

// Extension attributes of an exported event, beside those that a dead letter sink gets (see
// delivery.FailureAttributes).
const (
	ErrorReason   = "knativeerrorreason"
	ErrorTarget   = "knativeerrortarget"
	ErrorAttempts = "knativeerrorattempts"
	ErrorTime     = "knativeerrortime"
)

// Export writes the selected letters as JSON lines of structured CloudEvents, and returns how many.
// Of a message that is no CloudEvent the bytes are the data of one. Letters stay where they are.
func Export(ctx context.Context, c *jetstream.Client, s Selection, to io.Writer) (int, error) {
	count := 0
	for l, err := range All(ctx, c, s) {
		if err != nil {
			return count, err
		}
		if _, err := to.Write(append(event.StructuredLine(l.exported()), '\n')); err != nil {
			return count, err
		}
		count++
	}
	return count, nil
}

// exported is the event with what is known of its last failure; of an earlier one, which the event
// tells of when it was a dead letter before, nothing is left.
func (l Letter) exported() event.Event {
	e := l.Event
	for _, name := range []string{delivery.ErrorDest, delivery.ErrorCode, delivery.ErrorData} {
		e = e.Without(name)
	}
	facts := append(delivery.FailureAttributes(l.Failure.Destination, l.Failure.Code, l.Failure.Body),
		event.Attribute{Name: ErrorReason, Value: l.Failure.Reason},
		event.Attribute{Name: ErrorTarget, Value: l.Target},
		event.Attribute{Name: ErrorAttempts, Value: strconv.Itoa(l.Failure.Attempts)},
		event.Attribute{Name: ErrorTime, Value: l.GivenUp.Format(time.RFC3339Nano)},
	)
	for _, a := range facts {
		e = e.With(a.Name, a.Value)
	}
	return e
}
