package codec

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/dispatch"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/event"
)

// errFarTime means that a time is beyond what nanoseconds can count.
var errFarTime = errors.New("the time is out of range")

// SentByHand is set in the sequence of work that was sent by hand, as no log has such a sequence.
const SentByHand = 1 << 63

// DecodeDirected decodes a directed message. A message without HeaderSequence was sent by hand: its
// sequence in the directed stream identifies the work. A malformed message becomes a dead letter.
// Error: the message has no ack subject.
func DecodeDirected(m *nats.Msg) (dispatch.Work, error) {
	place, err := m.Metadata()
	if err != nil {
		return dispatch.Work{}, err
	}
	fields := headerFields{header: m.Header}
	w := dispatch.Work{Sequence: SentByHand | place.Sequence.Stream, Stored: place.Timestamp.UTC(), Directed: place.Sequence.Stream}
	fields.history(&w)
	data, reply, err := cutReply(m)
	if err == nil {
		w.Reply = reply
		w.Event, err = event.FromNATS(m.Header, data)
	}
	if err == nil {
		err = fields.err
	}
	if err != nil {
		return unreadable(m, w, err), nil
	}
	return w, nil
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
	if err := mayHaveCome(*reply); err != nil {
		return nil, nil, fmt.Errorf("the reply that is kept with the event: %w", err)
	}
	return data, reply, nil
}

// mayHaveCome checks that a subscriber could have sent this reply: anybody may have put it there.
func mayHaveCome(reply event.Event) error {
	if _, err := event.FromNATS(event.ToNATS(reply), reply.Data); err != nil {
		return err
	}
	return reply.Validate()
}

// headerFields reads fields of a header and keeps the first error.
type headerFields struct {
	header nats.Header
	err    error
}

func (f *headerFields) has(name string) bool { return f.header.Get(name) != "" }

func (f *headerFields) number(name string) int {
	value, err := strconv.Atoi(f.header.Get(name))
	f.note(name, err)
	return value
}

func (f *headerFields) unsigned(name string) uint64 {
	value, err := strconv.ParseUint(f.header.Get(name), 10, 64)
	f.note(name, err)
	return value
}

// time parses a time that fits into int64 nanoseconds. What an earlier version parked has none.
func (f *headerFields) time(name string) time.Time {
	if !f.has(name) {
		return time.Time{}
	}
	value, err := time.Parse(time.RFC3339Nano, f.header.Get(name))
	value = value.UTC()
	if err == nil && !time.Unix(0, value.UnixNano()).Equal(value) {
		err = errFarTime
	}
	f.note(name, err)
	return value
}

// history reads what has happened to the work so far. A field without a header stays as it is.
func (f *headerFields) history(w *dispatch.Work) {
	if f.has(HeaderSequence) {
		w.Sequence, w.Stored = f.unsigned(HeaderSequence), f.time(HeaderStored)
		w.Attempt = f.number(HeaderAttempt)
	}
	if f.has(headerRun) {
		w.Run = f.unsigned(headerRun)
	}
	if f.has(headerUnstored) {
		w.Unstored = f.number(headerUnstored)
	}
	if _, failed := f.header[HeaderCode]; failed {
		w.Failure = f.failure()
	}
}

func (f *headerFields) failure() *dispatch.Failure {
	body, err := base64.StdEncoding.DecodeString(f.header.Get(HeaderBody))
	f.note(HeaderBody, err)
	return &dispatch.Failure{
		Destination: f.header.Get(HeaderDestination), Reason: f.header.Get(HeaderReason), Code: f.number(HeaderCode), Body: body,
		Attempts: f.number(HeaderAttempts), SinkAttempts: f.number(HeaderSinkTries), Copied: f.has(headerCopied),
	}
}

func (f *headerFields) note(name string, err error) {
	if err != nil && f.err == nil {
		f.err = fmt.Errorf("header %s: %w", name, err)
	}
}
