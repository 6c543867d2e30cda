package codec

import (
	"errors"

	"github.com/nats-io/nats.go"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/dispatch"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/event"
)

// errNoLetter means that a message of a dead-letter stream names no work.
var errNoLetter = errors.New("the message is no dead letter: it has no header " + HeaderSequence)

// Letter is a decoded message of a dead-letter stream. The Failure of the work is never nil.
type Letter struct {
	dispatch.Work
	// TargetName is the namespace and the name of the target's key, with a slash in between.
	TargetName string
	// Stream has the event, at the sequence of the work, if the event was too large for the letter;
	// DataBytes is then the size of the event's data.
	Stream    string
	DataBytes int
	// Reference is set if the letter lacks a part of the event for that reason.
	Reference bool
	// Unreadable is why the message is no dead letter of ours; nil if it is. The event is then
	// decoded from the message, or has the message's data.
	Unreadable error
}

// DecodeLetter decodes a message of a dead-letter stream, whose sequence identifies an event that
// cannot be decoded. It never fails: whatever anybody has put there must be shown to be removed.
func DecodeLetter(m *nats.Msg, sequence uint64) Letter {
	fields := headerFields{header: m.Header}
	l := Letter{
		TargetName: m.Header.Get(HeaderTarget), Stream: m.Header.Get(HeaderStream), Reference: fields.has(HeaderDataBytes),
	}
	if l.Reference {
		l.DataBytes = fields.number(HeaderDataBytes)
	}
	fields.history(&l.Work)
	var err error
	l.Event, err = event.FromNATS(m.Header, m.Data)
	switch {
	case fields.err != nil:
		l.Unreadable = fields.err
	case !fields.has(HeaderSequence):
		l.Unreadable = errNoLetter
	case err != nil && !l.Reference: // a reference may lack even the attributes of its event
		l.Unreadable = err
	}
	if err != nil {
		l.Event = unreadableEvent(m, sequence)
	}
	if l.Failure == nil || l.Unreadable != nil {
		l.Failure = &dispatch.Failure{Destination: sourceOf(m.Subject)}
	}
	if l.Unreadable != nil {
		l.Failure.Reason = oneLine(l.Unreadable.Error(), maxReason)
	}
	return l
}
