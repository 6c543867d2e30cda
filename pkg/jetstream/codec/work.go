package codec

import (
	"encoding/base64"
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/nats-io/nats.go"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/delivery"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/dispatch"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/event"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/naming"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/route"
)

// IdentityOf returns the identity of the target's work (I9).
func IdentityOf(target route.Target, w dispatch.Work) naming.Identity {
	return naming.Identity{Target: target.Key, Sequence: w.Sequence, Stored: w.Stored, Run: w.Run}
}

// DecodeLog decodes a message of a log. Error: the message has no ack subject.
func DecodeLog(m *nats.Msg) (dispatch.Work, error) {
	place, err := m.Metadata()
	if err != nil {
		return dispatch.Work{}, err
	}
	w := dispatch.Work{Sequence: place.Sequence.Stream, Stored: place.Timestamp.UTC()}
	if w.Event, err = event.FromNATS(m.Header, m.Data); err != nil {
		return unreadable(m, w, err), nil
	}
	return w, nil
}

// unreadable makes w the dead letter, with its identity, for a message that cannot be delivered.
// Only a foreign publisher can have written it; it must neither vanish nor hold its stream. If it
// is no CloudEvent it becomes the data of one. The reason is sent to a dead letter sink, too.
func unreadable(m *nats.Msg, w dispatch.Work, why error) dispatch.Work {
	reason := oneLine(why.Error(), maxReason)
	w.Reply = nil
	w.Failure = &dispatch.Failure{Destination: sourceOf(m.Subject), Reason: reason, Body: delivery.ErrorBody(reason)}
	var err error
	if w.Event, err = event.FromNATS(m.Header, m.Data); err == nil {
		return w
	}
	w.Event = unreadableEvent(m, w.Sequence)
	return w
}

// UnreadableType is the type of the event that holds the bytes of a message that is no CloudEvent.
const UnreadableType = "dev.eventing-jetstream.unreadable"

// unreadableEvent returns an event with the data of a message that is no CloudEvent.
func unreadableEvent(m *nats.Msg, sequence uint64) event.Event {
	return event.Event{
		Attributes: []event.Attribute{
			{Name: event.SpecVersion, Value: "1.0"},
			{Name: event.ID, Value: formatUint(sequence)},
			{Name: event.Source, Value: sourceOf(m.Subject)},
			{Name: event.Type, Value: UnreadableType},
			{Name: event.DataContentType, Value: "application/octet-stream"},
		},
		Data: m.Data,
	}
}

// Limits of a failure's texts, in bytes: all headers together stay below workBytes of publish.
const (
	maxDestination = 1024
	maxReason      = 512
	maxBody        = 1024
)

// EncodeWork returns a directed message or a dead letter without its subject: the event, and what
// has happened to it so far. A reply that is not accepted yet follows the event's data.
func EncodeWork(w dispatch.Work) *nats.Msg {
	return withWork(w, event.ToNATS(w.Event), w.Event.Data)
}

// EncodeStructured is EncodeWork for an event whose attributes are too large to be headers.
func EncodeStructured(w dispatch.Work) *nats.Msg {
	header, data := event.ToStructuredNATS(w.Event)
	return withWork(w, header, data)
}

func withWork(w dispatch.Work, header nats.Header, data []byte) *nats.Msg {
	set := func(name, value string) { header[name] = []string{value} }
	set(HeaderSequence, formatUint(w.Sequence))
	set(HeaderAttempt, strconv.Itoa(w.Attempt))
	if w.Unstored != 0 {
		set(headerUnstored, strconv.Itoa(w.Unstored))
	}
	if !w.Stored.IsZero() {
		set(HeaderStored, w.Stored.UTC().Format(time.RFC3339Nano))
	}
	if w.Run != 0 {
		set(headerRun, formatUint(w.Run))
	}
	if f := w.Failure; f != nil {
		if f.Copied {
			set(headerCopied, "true")
		}
		set(HeaderDestination, oneLine(f.Destination, maxDestination))
		set(HeaderCode, strconv.Itoa(f.Code))
		set(HeaderReason, oneLine(f.Reason, maxReason))
		set(HeaderBody, base64.StdEncoding.EncodeToString(f.Body[:min(len(f.Body), maxBody)]))
		set(HeaderAttempts, strconv.Itoa(f.Attempts))
		set(HeaderSinkTries, strconv.Itoa(f.SinkAttempts))
	}
	if w.Reply != nil {
		reply, _ := json.Marshal(w.Reply) // it is made of strings and bytes
		set(headerReplyBytes, strconv.Itoa(len(reply)))
		data = slices.Concat(data, reply)
	}
	return &nats.Msg{Header: header, Data: data}
}

// oneLine makes text a legal header value of at most so many bytes. It cuts between characters.
func oneLine(text string, most int) string {
	text = strings.TrimSpace(strings.NewReplacer("\r", " ", "\n", " ").Replace(text))
	if len(text) <= most {
		return text
	}
	for most > 0 && !utf8.RuneStart(text[most]) {
		most--
	}
	return text[:most]
}
