package codec

import (
	"net/url"

	"github.com/nats-io/nats.go"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/dispatch"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/event"
)

// PlainType is the type of the event that a plain NATS message becomes.
const PlainType = "dev.eventing-jetstream.nats.message"

// DecodeChannel decodes a message of a Channel's log, into which NATS publishers may write too. A
// message that means to be a CloudEvent (see event.IsNATS) becomes that event, or a dead letter
// that says what is wrong. Any other message becomes an event by this rule:
//
//	id               the stream's name, a dot, and the message's sequence in it
//	source           nats: and the message's subject
//	type             dev.eventing-jetstream.nats.message
//	time             when the stream stored it
//	data             the payload, as it is
//	datacontenttype  the header Content-Type, else application/json if the payload is JSON, else application/octet-stream
func DecodeChannel(m *nats.Msg) (dispatch.Work, error) {
	if event.IsNATS(m.Header, m.Data) {
		return DecodeLog(m)
	}
	place, err := m.Metadata()
	if err != nil {
		return dispatch.Work{}, err
	}
	return dispatch.Work{
		Event: event.Plain{
			ID:     place.Stream + "." + formatUint(place.Sequence.Stream),
			Source: sourceOf(m.Subject),
			Type:   PlainType,
			Time:   place.Timestamp.UTC(),
			Header: m.Header,
			Data:   m.Data,
		}.Event(),
		Sequence: place.Sequence.Stream,
		Stored:   place.Timestamp.UTC(),
	}, nil
}

// sourceOf returns the source, a URI, of the events of a subject.
func sourceOf(subject string) string {
	source := url.URL{Scheme: "nats", Opaque: url.PathEscape(subject)}
	return source.String()
}
