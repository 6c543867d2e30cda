package dispatch

import "errors"

var (
	// ErrReplyRefused is what Store.Reply returns when the log itself will not take the reply: it is full, or the reply is
	// larger than it can hold. Sending the event again at once would not help, so it counts as a failed delivery
	// and ends, after the retries, as a dead letter. Every other error of Store.Reply means that the store is away.
	ErrReplyRefused = errors.New("the reply was refused by the log")

	// errNotOpen is a target's state until its sources were opened for the first time.
	errNotOpen = errors.New("its sources are not open yet")
	// errSourceEnded means that a source closed its messages although nobody had stopped it.
	errSourceEnded = errors.New("a source ended by itself")
	// errWaitingFull and errWaitingClosed mean that a task cannot wait in this process.
	errWaitingFull   = errors.New("too many messages wait")
	errWaitingClosed = errors.New("the target is no longer served")
	// errMalformedReply means that the body of a 200 response is neither empty nor a CloudEvent.
	errMalformedReply = errors.New("the response is neither empty nor a CloudEvent")
	// errTruncatedReply means that the response exceeds what the sender reads.
	errTruncatedReply = errors.New("the response is larger than a reply may be")
)
