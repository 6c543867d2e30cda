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
	// Sequence is the event's place in the address's log, and Stored is when the log has stored the
	// event. With the target and the Run they identify the work (I9).
	Sequence uint64
	Stored   time.Time
	// Run is 0 for the event as it came, and another number for each later retry or replay.
	Run uint64
	// Directed is the sequence in the directed stream of the message that brought the work; 0 when
	// the log brought the work.
	Directed uint64
	// Attempt counts the failed requests to the subscriber, or those with the Reply.
	Attempt int
	// Unstored counts how often a Broker's log did not store the reply. That is no failed attempt.
	Unstored int
	// Reply is what a Channel's subscriber has replied. It remains to send the reply on.
	Reply *event.Event
	// Failure is set when the event is given up. It remains to send or store the dead letter.
	Failure *Failure
}

// Failure is why an event could not be delivered.
type Failure struct {
	// Destination is the URL that failed, Code its last HTTP status (0: no response), Body the head
	// of that response.
	Destination string
	Code        int
	Body        []byte
	Reason      string
	// Attempts counts the requests to the destination, SinkAttempts the failed requests to the dead
	// letter sink.
	Attempts, SinkAttempts int
	// Copied is set once the copy of a letter that is for a sink is stored (Target.DeadLetterCopy).
	Copied bool
}

// Lease is the hold on one message: until it ends, no other process gets the message. It renews
// itself. After an error of Release it must end by itself.
type Lease interface {
	// Ack ends the message's life. It is called only when the outcome is durable (I2).
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
	// Take returns the next message; ok is false when there is none, or no attempt may begin.
	Take() (m Message, ok bool)
	// Ready holds a token when Take may have a message again. Its receiver takes all.
	Ready() <-chan struct{}
	// Stop ends the source: Take returns nothing any more.
	Stop()
}

// Opener opens a target's sources, one of each kind at a time. It neither blocks nor fails: a
// source whose events cannot be read yields nothing until they can.
type Opener interface {
	// Log reads the events that the target's cursor has not passed.
	Log(target route.Target) Source
	// Directed reads the target's messages of the directed stream.
	Directed(target route.Target) Source
}

// Store makes an outcome durable. Each call is idempotent for the same target and work, and returns
// only when the event is stored, or with an error within the time that a publish may take: the Store
// itself tries again until then. Safe for concurrent use.
type Store interface {
	// Reply appends a reply to the log of the target's address. It returns ErrReplyRefused,
	// ErrReplyForbidden or ErrNoRoom; every other error means that the store is away.
	Reply(ctx context.Context, target route.Target, work Work, reply event.Event) error
	// DeadLetter stores the event and the Failure in the address's dead-letter stream. Of an event
	// that is too large for that it stores a reference to the event's place in the log. It returns
	// ErrLettersFull and, when not even a reference fits into a message, ErrTooLarge.
	DeadLetter(ctx context.Context, target route.Target, work Work) error
	// Park stores the work in the directed stream, to be delivered not before the given time. The
	// work of one message is parked once, however often and for whatever time that is tried; parked
	// work comes back in another message (Work.Directed), and can be parked again. It returns
	// ErrTooLarge when the work does not fit into a message, which no later try changes, and
	// ErrParkFull.
	Park(ctx context.Context, target route.Target, work Work, notBefore time.Time) error
}

// Response is the answer to one request. Err is set when there was none.
type Response struct {
	StatusCode int
	Header     http.Header
	// Body is the body up to the reply limit. Truncated reports whether there was more.
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
