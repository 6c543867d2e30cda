package dispatch

import "errors"

var (
	// ErrReplyRefused is what Store.Reply returns when the log will never take the reply: it is larger than a message may be.
	// It counts as a failed delivery and ends, after the retries, as a dead letter.
	ErrReplyRefused = errors.New("the reply was refused by the log")
	// ErrReplyForbidden is what Store.Reply returns when the address takes no event of anybody at present (route.Address.Refuse).
	// It counts as a failed delivery with status 403, which is what a reply that is sent through such an ingress gets.
	ErrReplyForbidden = errors.New("the reply was refused: nobody may send to this address")
	// ErrNoRoom is what Store.Reply returns when the log is full. The event is delivered again later, and that is not counted;
	// but only so often (see maxNoRoom): the event itself may be what holds the log. Every other error of Store.Reply means
	// that the store is away.
	ErrNoRoom = errors.New("the log has no room for the reply")
	// ErrTooLarge is what Store.Park returns when the work is larger than a message may be: the message that brought the work has to
	// be held until the work has come to its end.
	ErrTooLarge = errors.New("larger than a message may be")

	// ErrParkFull is what Store.Park returns when as many bytes are parked for the address as may be.
	ErrParkFull = errors.New("the directed stream is full")

	// errWaitingFull and errWaitingClosed mean that a task cannot wait in this process.
	errWaitingFull   = errors.New("too many messages wait")
	errWaitingClosed = errors.New("the target is no longer served")
	// errMalformedReply means that the body of a 200 response is neither empty nor a CloudEvent.
	errMalformedReply = errors.New("the response is neither empty nor a CloudEvent")
	// errTruncatedReply means that the response exceeds what the sender reads.
	errTruncatedReply = errors.New("the response is larger than a reply may be")
)
