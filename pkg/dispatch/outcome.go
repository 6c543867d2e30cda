package dispatch

import (
	"context"
	"time"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/delivery"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/event"
)

// storeTimeout bounds one call of the Store. It is the publish deadline, inside which the Store itself tries again.
const storeTimeout = 10 * time.Second

// placePause is how long a task without a place keeps its slot before it looks for one again.
const placePause = time.Second

// maxFailureBody is how much of a response's body is kept with a failure: more than what a dead letter sink is told.
const maxFailureBody = 1024

// deliver takes a task one step further: to the subscriber, with a Channel's reply to where it goes, or, once that is given up, to
// where dead letters go.
func (r *runner) deliver(t task) {
	switch {
	case t.Failure != nil:
		r.deadLetter(t)
	case t.Reply != nil:
		r.sendReply(t)
	default:
		r.attempt(t)
	}
}

// attempt sends the event to the subscriber and does what the outcome asks for.
func (r *runner) attempt(t task) {
	response, hops := r.sendToSubscriber(t.Event)
	if r.brokenOff(response) {
		r.lane.release(t.Message, 0)
		return
	}
	result := resultOf(response)
	outcome := r.target.Delivery.Decide(t.Attempt, result)
	switch {
	case outcome.Action != delivery.Delivered:
	case r.isChannel():
		r.answered(t, response)
		return
	default:
		refusal, err := r.reply(t, hops, response)
		if err != nil {
			r.deliverAgain(t, err)
			return
		}
		if refusal != nil {
			result.StatusCode, result.Err = refusal.code, refusal.err
			outcome = r.target.Delivery.Decide(t.Attempt, result)
		}
	}
	response.StatusCode = result.StatusCode
	r.conclude(t, outcome, response)
}

func resultOf(response Response) delivery.Result {
	return delivery.Result{
		StatusCode: response.StatusCode,
		RetryAfter: response.Header.Get("Retry-After"),
		Now:        time.Now(),
		Err:        response.Err,
		Body:       response.Body,
	}
}

// conclude carries out the outcome of an attempt.
func (r *runner) conclude(t task, outcome delivery.Outcome, response Response) {
	switch outcome.Action {
	case delivery.Delivered:
		r.lane.counts.delivered.Add(1)
		r.ack(t.Message)
	case delivery.Retry:
		r.lane.counts.retried.Add(1)
		r.ports.log.Info("delivery failed, it will be tried again", "target", r.target.Key.String(), "id", t.Event.Attr(event.ID),
			"attempt", t.Attempt+1, "status", response.StatusCode, "in", outcome.After, "reason", outcome.Reason)
		t.Attempt++
		r.later(t, outcome.After)
	case delivery.DeadLetter:
		t.Failure = r.failure(t, outcome, response)
		t.Reply = nil
		t.Attempt++
		r.ports.log.Warn("delivery has failed for good, the event is a dead letter", "target", r.target.Key.String(),
			"id", t.Event.Attr(event.ID), "attempts", t.Attempt, "status", response.StatusCode, "reason", outcome.Reason)
		if r.target.DeadLetter == nil {
			r.deadLetter(t)
			return
		}
		// The sink's requests are repeated work: they take their turn for one of its slots.
		r.later(t, 0)
	default:
		// No such outcome is known: nothing was decided, so nothing is acknowledged.
		r.later(t, delivery.SinkBackoff(t.Attempt))
	}
}

// failure describes why the event goes to the dead letters.
func (r *runner) failure(t task, outcome delivery.Outcome, response Response) *Failure {
	body := response.Body
	if response.StatusCode < 1 {
		body = delivery.ErrorBody(outcome.Reason)
	}
	return &Failure{
		Destination: r.destination(t),
		Code:        max(response.StatusCode, 0),
		Body:        append([]byte(nil), body[:min(len(body), maxFailureBody)]...),
		Reason:      outcome.Reason,
		Attempts:    t.Attempt + 1,
	}
}

// deliverAgain is for an event that the subscriber has got and whose reply could not be stored because the store is away.
// The event is not acknowledged, so the subscriber gets it again, which is what the spec asks for; that is not counted as a
// failed attempt, and comes the later the longer the store stays away.
func (r *runner) deliverAgain(t task, err error) {
	r.ports.log.Warn("reply is not stored, the event will be delivered again",
		"target", r.target.Key.String(), "sequence", t.Sequence, "error", err)
	delay := delivery.SinkBackoff(t.Unstored)
	t.Unstored++
	r.later(t, delay)
}

// later has the task taken up again after the delay: in this process when the delay is short and few tasks wait, else parked.
// Work that is too large to be parked waits in this process, whatever the delay. Work for which there is neither place nor store
// keeps its slot until there is one, or until its time has come: that slows its own target down, forgets none of its attempts, and ends
// when the target is well. Only when the process stops is it given back, to start with its first attempt again.
func (r *runner) later(t task, delay time.Duration) {
	t.due = time.Now().Add(delay)
	if delay <= maxLocalDelay && r.lane.waiting.add(t) == nil {
		return
	}
	// A target that is no longer served may never come back, so nothing is parked for it.
	for r.lane.waiting.isOpen() && r.cutoff.Err() == nil {
		if r.park(t) || r.lane.waiting.add(t) == nil {
			return
		}
		sleep(r.cutoff, max(min(placePause, time.Until(t.due)), 0))
		if !time.Now().Before(t.due) && r.lane.waiting.addDue(t) == nil {
			return
		}
	}
	r.lane.release(t.Message, max(time.Until(t.due), 0))
}

// park stores the work and then acknowledges the message. It returns false when the work is not stored.
func (r *runner) park(t task) bool {
	ctx, cancel := context.WithTimeout(r.cutoff, storeTimeout)
	defer cancel()
	err := r.ports.store.Park(ctx, r.target, t.Work, t.due)
	r.lane.sayParking(err)
	if err != nil {
		return false
	}
	r.lane.counts.parked.Add(1)
	r.ack(t.Message)
	return true
}

// ack ends the message's life. When that fails the message is given back: it is delivered once more rather than held for ever.
func (r *runner) ack(m Message) {
	if err := m.Ack(); err != nil {
		r.ports.log.Warn("event is not acknowledged, it may be delivered again",
			"target", r.target.Key.String(), "sequence", m.Sequence, "error", err)
		r.lane.release(m, 0)
	}
}

// brokenOff reports that the request has failed because the process stops, which says nothing about the destination.
func (r *runner) brokenOff(response Response) bool {
	return response.Err != nil && r.cutoff.Err() != nil
}
