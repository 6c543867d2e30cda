package dispatch

import (
	"context"
	"net/http"
	"time"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/event"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/route"
)

// Work is one event on its way to one target, with what has happened to it so far.
type Work struct {
	Event event.Event
	// Sequence is the event's place in the address's log, and Stored is when the log has stored the event. Together with the target
	// and the Run they identify the work, also when it was parked in between: a log that was made anew may have the sequence again.
	Sequence uint64
	Stored   time.Time
	// Run is 0 for the event as it came, and another number for each retry or replay that somebody asks for later.
	Run uint64
	// Directed is the place in the address's directed stream of the message that brought the work; 0 when the log brought it.
	Directed uint64
	// Attempt counts the failed requests to the subscriber, or, once there is a Reply, to where that goes.
	Attempt int
	// Unstored counts how often a Broker's log did not take the reply to the event. Such a delivery is no failed one.
	Unstored int
	// Reply is what a Channel's subscriber has answered with: from then on the work is to get it accepted where replies go.
	Reply *event.Event
	// Failure is set once the subscriber's attempts are used up: from then on the work is to reach the dead letter sink.
	Failure *Failure
}

// Failure is why an event could not be delivered.
type Failure struct {
	// Destination is the URL that failed, Code its last HTTP status (0: no response), Body the head of that response.
	Destination string
	Code        int
	Body        []byte
	Reason      string
	// Attempts counts the requests to the destination, SinkAttempts the failed ones to the dead letter sink.
	Attempts, SinkAttempts int
}

// Lease is the hold on one message: until it ends, no other process gets the message. It renews itself.
type Lease interface {
	// Ack ends the message's life. It is called only when the outcome is durable. After an error the message is given back
	// with Release; should that fail too, the hold must end by itself.
	Ack() error
	// Release gives the message back, to be delivered again after the delay.
	Release(after time.Duration) error
}

// Message is work together with the hold on it.
type Message struct {
	Work
	Lease
	// Taken is when this process took hold of the message; zero when that is not known.
	Taken time.Time
}

// Source yields the messages of one target, in one goroutine at a time.
type Source interface {
	// Take returns the next message; ok is false while there is none, or while nothing may be delivered.
	Take() (m Message, ok bool)
	// Ready holds a token when Take may have a message again. Whoever takes the token takes until there is none.
	Ready() <-chan struct{}
	// Stop ends the source: Take returns nothing any more.
	Stop()
}

// Opener opens a target's sources, of which there is one of each kind at a time. It neither blocks nor fails: a source whose events
// cannot be read yields nothing until they can.
type Opener interface {
	// Log reads what the target's cursor has not passed.
	Log(target route.Target) Source
	// Directed reads what was parked for, or sent to, this target alone.
	Directed(target route.Target) Source
}

// Store makes an outcome durable. Each call is idempotent for the same target and work, and returns only when the event is
// stored. Safe for concurrent use.
type Store interface {
	// Reply appends a reply to the log of the target's address. ErrReplyRefused when the log is there and does not take it:
	// full, or the reply is too large. ErrReplyForbidden when the address takes nothing of anybody. Every other error is taken
	// for an outage, and the event is delivered again.
	Reply(ctx context.Context, target route.Target, work Work, reply event.Event) error
	// DeadLetter keeps an event that has no sink in the address's dead-letter stream; work.Failure says why. Of an event that is too
	// large for that, a reference to its place in the log is kept.
	DeadLetter(ctx context.Context, target route.Target, work Work) error
	// Park stores the work to be delivered to this target alone, not before the given time. One message is parked once, however often
	// and for whatever time that is tried; work that comes back is another message's (Work.Directed), and can be parked again.
	// ErrTooLarge when the work does not fit into a message, which no later try changes.
	Park(ctx context.Context, target route.Target, work Work, notBefore time.Time) error
}

// Response is what came of one request. Err is set when there was no response.
type Response struct {
	StatusCode int
	Header     http.Header
	// Body is bounded: the whole body up to the reply limit. Truncated tells that there was more.
	Body      []byte
	Truncated bool
	Err       error
}

// Sender makes one HTTP request that carries the event. It neither retries nor follows redirects.
// Safe for concurrent use.
type Sender interface {
	Send(ctx context.Context, request Request) Response
}

// Request is one delivery of an event to a destination.
type Request struct {
	To    route.Destination
	Event event.Event
	// Namespace goes into the Kn-Namespace header.
	Namespace string
	// JSON asks for the structured content mode.
	JSON bool
}
