package codec

import (
	"errors"

	"github.com/nats-io/nats.go"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/dispatch"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/event"
)

// errNoLetter means that a message of a dead-letter stream names no work.
var errNoLetter = errors.New("the message is no dead letter: it has no header " + HeaderSequence)

// Letter is what a message of a dead-letter stream tells. The Failure of the work is always there.
type Letter struct {
	dispatch.Work
	// TargetName is the namespace and the name of the target's key, with a slash in between.
	TargetName string
	// Stream holds the event, at the sequence of the work, when the event was too large to be kept here; DataBytes is then the size of
	// the event's data.
	Stream    string
	DataBytes int
	// Reference is set when something of the event is not in the letter for that reason.
	Reference bool
	// Unreadable is why the message is no dead letter of ours. The event is then what can
	// be read of the message, or holds its data.
	Unreadable error
}

// DecodeLetter reads a message of a dead-letter stream, whose sequence there identifies what cannot be read. It never fails: foreign
// hands may have put anything there, which must be seen to be removed.
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
