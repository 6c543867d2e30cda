package dispatch

import "errors"

var (
	// ErrReplyRefused is returned by Store.Reply when the log will never store the reply: it is
	// larger than a message may be. The delivery has failed.
	ErrReplyRefused = errors.New("the reply was refused by the log")
	// ErrReplyForbidden is returned by Store.Reply when nobody may send to the address at present
	// (route.Address.Refuse). The delivery has failed with status 403, as when a reply is sent
	// through such an ingress.
	ErrReplyForbidden = errors.New("the reply was refused: nobody may send to this address")
	// ErrNoRoom is returned by Store.Reply when the log is full. The event is delivered again,
	// uncounted but at most maxNoRoom times: the event itself may be what holds the log.
	ErrNoRoom = errors.New("the log has no room for the reply")
	// ErrLettersFull is returned by Store.DeadLetter when the dead-letter stream is full.
	ErrLettersFull = errors.New("the dead-letter stream is full")
	// ErrTooLarge is returned by Store when the work is larger than a message may be.
	ErrTooLarge = errors.New("larger than a message may be")
	// ErrParkFull is returned by Store.Park when no more bytes may be parked for the address.
	ErrParkFull = errors.New("the directed stream is full")

	// errMalformedReply means that the body of a 200 response is neither empty nor a CloudEvent.
	errMalformedReply = errors.New("the response is neither empty nor a CloudEvent")
	// errTruncatedReply means that the response exceeds what the sender reads.
	errTruncatedReply = errors.New("the response is larger than a reply may be")
)
