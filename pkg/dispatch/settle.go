package dispatch

import (
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/delivery"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/event"
)

// placePoll is how often a task that has no place to wait, and keeps its slot, looks for one.
const placePoll = time.Second

// maxNoRoom is how often an event is delivered again because its reply found the log full, about
// five minutes in all. After that each delivery whose reply finds the log full is a failed one: a
// log that is full of events whose replies do not fit would otherwise stay full for ever.
const maxNoRoom = 8

// settle makes the outcome of an attempt durable, and only then acknowledges the message (I2).
func (r *runner) settle(t task, o outcome) {
	if o.reply != nil {
		var err error
		if o, err = r.storeReply(t.Work, o); err != nil {
			r.redeliver(t, err)
			return
		}
	}
	switch o.Action {
	case delivery.Delivered:
		r.ack(t.Message)
		r.target.Counts.Deliver()
	case delivery.Retry:
		r.fails(t.Work, o)
		t.Attempt++
		r.log.Info("delivery failed, it will be tried again", "id", t.Event.Attr(event.ID), "attempt", t.Attempt,
			"status", o.response.StatusCode, "in", o.After, "reason", o.Reason)
		r.postpone(t, o.After)
	case delivery.DeadLetter:
		r.fails(t.Work, o)
		r.giveUp(t, o)
	default: // aborted: nothing is decided
		r.release(t.Message, 0)
	}
}

// storeReply stores the outcome's reply in the Broker's log. A reply that the log refuses makes a
// failed delivery of the outcome; an error means that nothing can be said yet.
func (r *runner) storeReply(w Work, o outcome) (outcome, error) {
	err := r.ports.Store.Reply(r.ports.requests, r.target, w, *o.reply)
	switch {
	case err == nil:
		r.ports.Replied(r.target, *o.reply)
		return o, nil
	case errors.Is(err, ErrReplyForbidden):
		err = fmt.Errorf("%w: %w", delivery.ErrPermanent, err)
		return r.refuse(w, o.response, http.StatusForbidden, err), nil
	case errors.Is(err, ErrReplyRefused), errors.Is(err, ErrNoRoom) && w.Unstored >= maxNoRoom:
		return r.refuse(w, o.response, http.StatusBadGateway, err), nil
	default:
		return o, err
	}
}

// redeliver has the subscriber get the event again, because the store is away and the reply is not
// stored. That is no failed attempt.
func (r *runner) redeliver(t task, err error) {
	r.log.Warn("reply is not stored, the event will be delivered again",
		"sequence", t.Sequence, "error", err)
	delay := delivery.SinkBackoff(t.Unstored)
	t.Unstored++
	r.postpone(t, delay)
}

// postpone has the task delivered after the delay: the task waits in this process when the delay is
// short and few tasks wait, else it is parked. A task with neither place nor store keeps its slot
// until there is, or until it is due: that slows only its own target down, and keeps its count of
// attempts. The task is released only when the process stops or the target is removed.
func (r *runner) postpone(t task, delay time.Duration) {
	t.due = time.Now().Add(delay)
	if delay <= maxHeldDelay && r.waiting.add(t) {
		return
	}
	// A removed target may never come back, so nothing is parked for it.
	for r.waiting.isOpen() && r.ports.requests.Err() == nil {
		if r.park(t) || r.waiting.add(t) {
			return
		}
		select {
		case <-time.After(min(placePoll, time.Until(t.due))):
		case <-r.ports.requests.Done():
		}
		if !time.Now().Before(t.due) && r.waiting.addDue(t) {
			return
		}
	}
	r.release(t.Message, max(time.Until(t.due), 0))
}

// park stores the work and then acknowledges the message. It returns false when the work is not
// stored.
func (r *runner) park(t task) bool {
	err := r.ports.Store.Park(r.ports.requests, r.target, t.Work, t.due)
	r.logParking(err)
	if err != nil {
		return false
	}
	r.ack(t.Message)
	r.target.Counts.Park()
	return true
}

// logParking logs why work cannot be parked, once for each reason, and when it can be again.
func (d *dispatcher) logParking(err error) {
	d.mu.Lock()
	isNew, isOver := d.parkFailure.Changed(err)
	d.mu.Unlock()
	switch {
	case isOver:
		d.log.Info("events are parked again")
	case isNew:
		d.log.Warn("events cannot be parked, they are held here", "error", err)
	}
}

// ack ends the message's life. A message that cannot be acknowledged is released: delivered once
// more rather than held for ever.
func (d *dispatcher) ack(m Message) {
	if err := m.Ack(); err != nil {
		d.log.Warn("event is not acknowledged, it may be delivered again",
			"sequence", m.Sequence, "error", err)
		d.release(m, 0)
	}
}

// release gives the message back. After an error the lease ends by itself.
func (d *dispatcher) release(m Message, after time.Duration) {
	if err := m.Release(after); err != nil {
		d.log.Warn("message is given back by timeout only", "sequence", m.Sequence, "error", err)
	}
}
