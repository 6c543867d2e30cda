package jetstream

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/nats-io/nats.go"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/delivery"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/dispatch"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/event"
)

// decodeLog reads a message of an address's log.
func decodeLog(m *nats.Msg) (dispatch.Work, error) {
	sequence, err := streamSequence(m.Reply)
	if err != nil {
		return dispatch.Work{}, err
	}
	e, err := event.FromNATS(m.Header, m.Data)
	if err != nil {
		return unreadable(m, sequence, err), nil
	}
	return dispatch.Work{Event: e, Sequence: sequence}, nil
}

// unreadable is the dead letter for a message that is no CloudEvent: only a foreign publisher can have put it there. It
// must neither vanish nor hold the log for ever. The reason is also what a dead letter sink is told.
func unreadable(m *nats.Msg, sequence uint64, why error) dispatch.Work {
	reason := oneLine(why.Error(), maxReason)
	return dispatch.Work{
		Event: event.Event{
			Attributes: []event.Attribute{
				{Name: event.SpecVersion, Value: "1.0"},
				{Name: event.ID, Value: formatUint(sequence)},
				{Name: event.Source, Value: sourceOf(m.Subject)},
				{Name: event.Type, Value: "dev.eventing-jetstream.unreadable"},
				{Name: event.DataContentType, Value: "application/octet-stream"},
			},
			Data: m.Data,
		},
		Sequence: sequence,
		Failure:  &dispatch.Failure{Destination: sourceOf(m.Subject), Reason: reason, Body: delivery.ErrorBody(reason)},
	}
}

// What of a failure travels with the event. With the other headers it stays below workBytes.
const (
	maxDestination = 1024
	maxReason      = 512
	maxBody        = 1024
)

// encodeWork returns a directed message or a dead letter, without its subject: the event, and what has happened to it so far. A reply
// that is not accepted yet follows the event's data.
func encodeWork(w dispatch.Work) *nats.Msg {
	data := w.Event.Data
	header := nats.Header(event.ToNATS(w.Event))
	set := func(name, value string) { header[name] = []string{value} }
	set(headerSequence, formatUint(w.Sequence))
	set(headerAttempt, strconv.Itoa(w.Attempt))
	if w.Unstored != 0 {
		set(headerUnstored, strconv.Itoa(w.Unstored))
	}
	if f := w.Failure; f != nil {
		set(headerDestination, oneLine(f.Destination, maxDestination))
		set(headerCode, strconv.Itoa(f.Code))
		set(headerReason, oneLine(f.Reason, maxReason))
		set(headerBody, base64.StdEncoding.EncodeToString(f.Body[:min(len(f.Body), maxBody)]))
		set(headerAttempts, strconv.Itoa(f.Attempts))
		set(headerSinkTries, strconv.Itoa(f.SinkAttempts))
	}
	if w.Reply != nil {
		reply, _ := json.Marshal(w.Reply) // it is made of strings and bytes
		set(headerReplyBytes, strconv.Itoa(len(reply)))
		data = slices.Concat(data, reply)
	}
	return &nats.Msg{Header: header, Data: data}
}

// cutReply takes the reply off the end of a directed message's body, if there is one.
func cutReply(m *nats.Msg) (data []byte, reply *event.Event, err error) {
	text := m.Header.Get(headerReplyBytes)
	if text == "" {
		return m.Data, nil, nil
	}
	size, err := strconv.Atoi(text)
	if err != nil || size < 0 || size > len(m.Data) {
		return nil, nil, fmt.Errorf("header %s: %q", headerReplyBytes, text)
	}
	data = m.Data[:len(m.Data)-size]
	reply = &event.Event{}
	if err := json.Unmarshal(m.Data[len(data):], reply); err != nil {
		return nil, nil, fmt.Errorf("the reply that is kept with the event: %w", err)
	}
	// Foreign hands may have put it there: it has to be what could have come as a reply.
	if _, err = event.FromNATS(event.ToNATS(*reply), reply.Data); err != nil {
		return nil, nil, fmt.Errorf("the reply that is kept with the event: %w", err)
	}
	return data, reply, nil
}

// sentByHand keeps the directed stream's own sequences apart from those of the log: both identify work.
const sentByHand = 1 << 63

// decodeDirected reads a directed message. One that names no sequence was sent by hand: its own place in the directed
// stream identifies it.
func decodeDirected(m *nats.Msg) (dispatch.Work, error) {
	data, reply, err := cutReply(m)
	if err != nil {
		return dispatch.Work{}, err
	}
	e, err := event.FromNATS(m.Header, data)
	if err != nil {
		place, placeErr := streamSequence(m.Reply)
		return unreadable(m, sentByHand|place, err), placeErr
	}
	w := dispatch.Work{Event: e, Reply: reply}
	if m.Header.Get(headerSequence) == "" {
		place, err := streamSequence(m.Reply)
		w.Sequence = sentByHand | place
		return w, err
	}
	if w.Sequence, err = strconv.ParseUint(m.Header.Get(headerSequence), 10, 64); err != nil {
		return dispatch.Work{}, fmt.Errorf("header %s: %w", headerSequence, err)
	}
	numbers := headerNumbers{header: m.Header}
	w.Attempt = numbers.read(headerAttempt)
	if m.Header.Get(headerUnstored) != "" {
		w.Unstored = numbers.read(headerUnstored)
	}
	if _, failed := m.Header[headerCode]; failed {
		w.Failure = &dispatch.Failure{
			Destination: m.Header.Get(headerDestination), Reason: m.Header.Get(headerReason), Code: numbers.read(headerCode),
			Attempts: numbers.read(headerAttempts), SinkAttempts: numbers.read(headerSinkTries),
		}
		if w.Failure.Body, err = base64.StdEncoding.DecodeString(m.Header.Get(headerBody)); err != nil {
			return dispatch.Work{}, fmt.Errorf("header %s: %w", headerBody, err)
		}
	}
	return w, numbers.err
}

// headerNumbers reads several numbers and keeps the first error.
type headerNumbers struct {
	header nats.Header
	err    error
}

func (n *headerNumbers) read(name string) int {
	value, err := strconv.Atoi(n.header.Get(name))
	if err != nil && n.err == nil {
		n.err = fmt.Errorf("header %s: %w", name, err)
	}
	return value
}

// oneLine keeps free text legal as a header value, and short: it cuts between characters.
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
