package jetstream

import (
	"bytes"
	"encoding/json"
	"errors"
	"strconv"
	"sync"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

var (
	errNoPubAck       = errors.New("no PubAck in time")
	errTooManyPending = errors.New("too many messages wait for their PubAcks")
)

// acks hands PubAcks to the publishes that wait for them. Safe for concurrent use.
//
// Why not nats.go's own asynchronous publish: it has a future, two channels, a timer and a decoded JSON document for each message,
// which is more than all else that an ingress does for an event. Here is one wait for all messages of a publish.
type acks struct {
	conn   *nats.Conn
	prefix string // of the reply subjects; a number follows

	mu      sync.Mutex
	last    uint64
	waiting map[uint64]waiter
}

// waiter is where the answer to one message goes.
type waiter struct {
	to    *sending
	index int
}

// sending are messages that were sent together. answers and left are guarded by acks.mu until done has a token.
type sending struct {
	first   uint64
	answers []error // nil: stored
	left    int
	done    chan struct{}
}

// newAcks returns acks that come on the connection.
func newAcks(conn *nats.Conn) (*acks, error) {
	a := &acks{conn: conn, prefix: conn.NewInbox() + ".", waiting: map[uint64]waiter{}}
	_, err := conn.Subscribe(a.prefix+"*", a.take)
	return a, err
}

// send sends the messages and returns what will tell of their answers; one that cannot be sent has its answer already.
func (a *acks) send(messages []*nats.Msg) (*sending, error) {
	s, err := a.expect(len(messages))
	if err != nil {
		return nil, err
	}
	for i, m := range messages {
		m.Reply = a.prefix + strconv.FormatUint(s.first+uint64(i), 36)
		if err := a.conn.PublishMsg(m); err != nil {
			a.settle(s.first+uint64(i), err)
		}
	}
	return s, nil
}

// expect makes room for the answers to so many messages. Error: errTooManyPending.
func (a *acks) expect(n int) (*sending, error) {
	s := &sending{answers: make([]error, n), left: n, done: make(chan struct{}, 1)}
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(a.waiting)+n > maxPendingPublishes {
		return nil, errTooManyPending
	}
	s.first = a.last + 1
	a.last += uint64(n)
	for i := range n {
		a.waiting[s.first+uint64(i)] = waiter{to: s, index: i}
	}
	return s, nil
}

// settle gives the message its answer. A second one changes nothing.
func (a *acks) settle(number uint64, answer error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.settleLocked(number, answer)
}

func (a *acks) settleLocked(number uint64, answer error) {
	w, ok := a.waiting[number]
	if !ok {
		return
	}
	delete(a.waiting, number)
	w.to.answers[w.index] = answer
	w.to.left--
	if w.to.left == 0 {
		w.to.done <- struct{}{}
	}
}

// giveUp answers for those messages of the sending that have no answer yet. After it, done has a token.
func (a *acks) giveUp(s *sending, why error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for i := range s.answers {
		a.settleLocked(s.first+uint64(i), why)
	}
}

// disconnected gives up every wait: what was under way is lost, or its answer is.
func (a *acks) disconnected() {
	a.mu.Lock()
	defer a.mu.Unlock()
	for number := range a.waiting {
		a.settleLocked(number, nats.ErrDisconnected)
	}
}

// take handles one answer of the server.
func (a *acks) take(m *nats.Msg) {
	number, err := strconv.ParseUint(m.Subject[len(a.prefix):], 36, 64)
	if err != nil {
		return // it is none of ours
	}
	a.settle(number, answerIn(m))
}

// answerIn returns nil for a PubAck, an *jetstream.APIError, jetstream.ErrNoStreamResponse, or jetstream.ErrInvalidJSAck.
func answerIn(m *nats.Msg) error {
	if len(m.Data) == 0 && m.Header.Get("Status") == "503" {
		return jetstream.ErrNoStreamResponse
	}
	// What the server writes when it has stored a message; an error comes before the stream. Source: nats-server
	// server/stream.go (JSPubAckResponse, and the prepared acks of a stream).
	if rest, ok := bytes.CutPrefix(m.Data, []byte(`{"stream":"`)); ok && len(rest) > 0 && rest[0] != '"' && json.Valid(m.Data) {
		return nil
	}
	var ack struct {
		Error  *jetstream.APIError `json:"error"`
		Stream string              `json:"stream"`
	}
	switch err := json.Unmarshal(m.Data, &ack); {
	case err == nil && ack.Error != nil:
		return ack.Error
	case err == nil && ack.Stream != "":
		return nil
	}
	return jetstream.ErrInvalidJSAck
}
