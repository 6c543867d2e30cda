package publish

import (
	"cmp"
	"errors"
	"strconv"
	"sync"

	"github.com/nats-io/nats.go"
)

var (
	errNoPubAck = errors.New("no PubAck in time")
	// errOtherStream means that an unexpected stream answers. The owner makes a lost log again.
	errOtherStream = errors.New("another stream takes the messages of the address")
)

// acks matches PubAcks with the messages that wait for them. Safe for concurrent use. It needs no
// bound of its own: publishers bound the bytes of the messages that wait.
//
// nats.go's asynchronous publish makes a future, two channels, a timer and a decoded JSON document
// for each message: more than all else that an ingress does for an event. Here is one wait for all.
type acks struct {
	conn   *nats.Conn
	prefix string // of the reply subjects; a number follows
	// turn is held while the connection takes a message. Else thousands who send again after an
	// outage queue for the connection's lock, its reader behind them, and PubAcks come too late.
	turn sync.Mutex

	mu      sync.Mutex
	last    uint64
	waiting map[uint64]waiter
}

// waiter is where the answer to one message goes.
type waiter struct {
	to    *sending
	index int
}

// sending are messages that were sent together. acks.mu guards answers and left.
type sending struct {
	to      Expected
	first   uint64
	answers []error // nil: stored
	left    int
	done    chan struct{} // has a token when left has become 0
}

// newAcks returns acks for the messages that are published on the connection.
func newAcks(conn *nats.Conn) (*acks, error) {
	a := &acks{conn: conn, prefix: conn.NewInbox() + ".", waiting: map[uint64]waiter{}}
	_, err := conn.Subscribe(a.prefix+"*", a.take)
	return a, err
}

// send publishes the messages. If one cannot be published, that is its answer.
func (a *acks) send(to Expected, messages []*nats.Msg) *sending {
	s := a.expect(to, len(messages))
	for i, m := range messages {
		m.Reply = a.prefix + strconv.FormatUint(s.first+uint64(i), 36)
		a.publish(s.first+uint64(i), m)
	}
	return s
}

// resend publishes an unstored message once more, under its number: an answer to any copy counts.
func (a *acks) resend(s *sending, index int, m *nats.Msg) {
	number := s.first + uint64(index) //nolint:gosec // an index
	a.mu.Lock()
	_, waits := a.waiting[number]
	if again := !waits && s.answers[index] != nil; again {
		select {
		case <-s.done: // it had all answers
		default:
		}
		s.answers[index] = nil
		s.left++
		a.waiting[number] = waiter{to: s, index: index}
		waits = true
	}
	a.mu.Unlock()
	if waits {
		a.publish(number, m)
	}
}

// unstored calls each for every message that is not stored, with why: waited if it has no answer.
func (a *acks) unstored(s *sending, waited error, each func(index int, why error)) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for i, why := range s.answers {
		if s.left > 0 {
			if _, waits := a.waiting[s.first+uint64(i)]; waits {
				why = cmp.Or(why, waited, errNoPubAck)
			}
		}
		if why != nil {
			each(i, why)
		}
	}
}

func (a *acks) publish(number uint64, m *nats.Msg) {
	a.turn.Lock()
	err := a.conn.PublishMsg(m)
	a.turn.Unlock()
	if err == nil {
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.giveUpLocked(number, err)
}

// expect returns a sending of n messages that wait for their answers.
func (a *acks) expect(to Expected, n int) *sending {
	s := &sending{to: to, answers: make([]error, n), left: n, done: make(chan struct{}, 1)}
	a.mu.Lock()
	defer a.mu.Unlock()
	s.first = a.last + 1
	a.last += uint64(n)
	for i := range n {
		a.waiting[s.first+uint64(i)] = waiter{to: s, index: i}
	}
	return s
}

// take handles one answer of the server. It ignores a second answer to a message.
func (a *acks) take(m *nats.Msg) {
	number, err := strconv.ParseUint(m.Subject[len(a.prefix):], 36, 64)
	if err != nil {
		return // not a reply subject of send
	}
	said := answerIn(m)
	a.mu.Lock()
	defer a.mu.Unlock()
	w, waits := a.waiting[number]
	if !waits {
		return
	}
	err = w.to.to.judge(said)
	if errors.Is(err, errOtherStream) {
		w.to.answers[w.index] = err // the expected stream may still answer
		return
	}
	a.settleLocked(number, w, err)
}

// giveUp ends the wait for all messages of the sending that have no answer. Then done has a token.
func (a *acks) giveUp(s *sending, why error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for i := range s.answers {
		a.giveUpLocked(s.first+uint64(i), why)
	}
}

// disconnected ends every wait: the message is lost, or its answer.
func (a *acks) disconnected() {
	a.mu.Lock()
	defer a.mu.Unlock()
	for number := range a.waiting {
		a.giveUpLocked(number, nats.ErrDisconnected)
	}
}

// giveUpLocked ends the wait for a message, if there is one: with this error, or errOtherStream.
func (a *acks) giveUpLocked(number uint64, why error) {
	if w, waits := a.waiting[number]; waits {
		a.settleLocked(number, w, cmp.Or(w.to.answers[w.index], why))
	}
}

func (a *acks) settleLocked(number uint64, w waiter, answer error) {
	delete(a.waiting, number)
	w.to.answers[w.index] = answer
	w.to.left--
	if w.to.left == 0 {
		w.to.done <- struct{}{}
	}
}
