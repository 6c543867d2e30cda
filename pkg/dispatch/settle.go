package dispatch

import (
	"context"
	"time"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/delivery"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/event"
)

const (
	// storeTimeout bounds one call of the Store. It is the publish deadline, inside which the Store
	// itself tries again.
	storeTimeout = 10 * time.Second
	// placePoll is how often a task that has no place to wait, and keeps its slot, looks for one.
	placePoll = time.Second
)

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

// redeliver has the subscriber get the event again, because the store is away and the reply is not
// stored. That is no failed attempt.
func (r *runner) redeliver(t task, err error) {
	r.log.Warn("reply is not stored, the event will be delivered again",
		"sequence", t.Sequence, "error", err)
	delay := delivery.SinkBackoff(t.Unstored)
	t.Unstored++
	r.postpone(t, delay)
}

// giveUp makes a dead letter of the event. For the request to a sink the dead letter takes its turn
// with other repeated work.
func (r *runner) giveUp(t task, o outcome) {
	t.Failure = r.failure(t.Work, o)
	t.Reply = nil
	t.Attempt++
	r.log.Warn("delivery has failed for good, the event is a dead letter",
		"id", t.Event.Attr(event.ID), "attempts", t.Attempt, "status", o.response.StatusCode, "reason", o.Reason)
	if r.target.DeadLetter == nil {
		r.settleDeadLetter(t)
		return
	}
	r.postpone(t, 0)
}

// settleDeadLetter sends the event to the sink, or stores it in the dead-letter stream when there
// is no sink. Only an accepted dead letter is acknowledged; else it is tried again later, for ever.
func (r *runner) settleDeadLetter(t task) {
	var err error
	if r.target.DeadLetter == nil {
		err = r.storeDeadLetter(t.Work)
	} else {
		err = r.sendDeadLetter(t.Work)
	}
	switch {
	case err == nil:
		r.ack(t.Message)
		r.target.Counts.GiveUp()
	case r.ports.requests.Err() != nil:
		r.release(t.Message, 0)
	default:
		r.log.Warn("dead letter is not accepted, it will be tried again",
			"sequence", t.Sequence, "error", err)
		failure := *t.Failure
		delay := delivery.SinkBackoff(failure.SinkAttempts)
		failure.SinkAttempts++
		t.Failure = &failure
		r.postpone(t, delay)
	}
}

func (r *runner) storeDeadLetter(w Work) error {
	ctx, cancel := context.WithTimeout(r.ports.requests, storeTimeout)
	defer cancel()
	return r.ports.Store.DeadLetter(ctx, r.target, w)
}

// postpone has the task delivered after the delay: the task waits in this process when the delay is
// short and few tasks wait, else it is parked. A task with neither place nor store keeps its slot
// until there is, or until it is due: that slows only its own target down, and keeps its count of
// attempts. The task is released only when the process stops or the target is removed.
func (r *runner) postpone(t task, delay time.Duration) {
	t.due = time.Now().Add(delay)
	if delay <= maxHeldDelay && r.waiting.add(t) == nil {
		return
	}
	// A removed target may never come back, so nothing is parked for it.
	for r.waiting.isOpen() && r.ports.requests.Err() == nil {
		if r.park(t) || r.waiting.add(t) == nil {
			return
		}
		select {
		case <-time.After(min(placePoll, time.Until(t.due))):
		case <-r.ports.requests.Done():
		}
		if !time.Now().Before(t.due) && r.waiting.addDue(t) == nil {
			return
		}
	}
	r.release(t.Message, max(time.Until(t.due), 0))
}

// park stores the work and then acknowledges the message. It returns false when the work is not
// stored.
func (r *runner) park(t task) bool {
	ctx, cancel := context.WithTimeout(r.ports.requests, storeTimeout)
	defer cancel()
	err := r.ports.Store.Park(ctx, r.target, t.Work, t.due)
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
	reason := ""
	if err != nil {
		reason = err.Error()
	}
	d.mu.Lock()
	before := d.parkFailure
	d.parkFailure = reason
	d.mu.Unlock()
	switch {
	case before == reason:
	case err == nil:
		d.log.Info("events are parked again")
	default:
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
