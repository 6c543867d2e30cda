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
	// errOtherStream means that it is not the stream of the address that has answered. The owner makes that again within seconds.
	errOtherStream = errors.New("another stream takes the messages of the address")
)

// acks hands PubAcks to the publishes that wait for them. Safe for concurrent use. It has no bound of its own: each message that
// waits is held by a publish, and who publishes bounds the bytes that it holds.
//
// Why not nats.go's own asynchronous publish: it has a future, two channels, a timer and a decoded JSON document for each message,
// which is more than all else that an ingress does for an event. Here is one wait for all messages of a publish.
type acks struct {
	conn   *nats.Conn
	prefix string // of the reply subjects; a number follows
	// turn is held while a message is given to the connection. Else thousands who send again after an outage queue for the connection's
	// own lock, its reader behind them, and PubAcks come so late that all send once more.
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

// sending are messages that were sent together. answers and left are guarded by acks.mu. done has a token when left has become 0.
type sending struct {
	to      Expected
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
func (a *acks) send(to Expected, messages []*nats.Msg) *sending {
	s := a.expect(to, len(messages))
	for i, m := range messages {
		m.Reply = a.prefix + strconv.FormatUint(s.first+uint64(i), 36)
		a.publish(s.first+uint64(i), m)
	}
	return s
}

// resend sends a message of the sending again that is not stored, under the same number: an answer to any copy of it counts.
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

// unstored calls each with the messages that are not stored, and why; waited is why those are not that have no answer yet.
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

// expect waits for the answers to so many messages.
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

// take handles one answer of the server. One to a message that has an answer changes nothing.
func (a *acks) take(m *nats.Msg) {
	number, err := strconv.ParseUint(m.Subject[len(a.prefix):], 36, 64)
	if err != nil {
		return // it is none of ours
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
		w.to.answers[w.index] = err // the stream itself may answer yet
		return
	}
	a.settleLocked(number, w, err)
}

// giveUp answers for those messages of the sending that have no answer yet. After it, done has a token.
func (a *acks) giveUp(s *sending, why error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for i := range s.answers {
		a.giveUpLocked(s.first+uint64(i), why)
	}
}

// disconnected gives up every wait: what was under way is lost, or its answer is.
func (a *acks) disconnected() {
	a.mu.Lock()
	defer a.mu.Unlock()
	for number := range a.waiting {
		a.giveUpLocked(number, nats.ErrDisconnected)
	}
}

// giveUpLocked ends the wait for one message, if there is one: because another stream has answered, or for this reason.
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
