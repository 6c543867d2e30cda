package dispatch

import (
	"errors"
	"fmt"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/delivery"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/event"
)

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
	err := r.keepCopy(&t)
	if err == nil {
		err = r.deadLetter(t.Work)
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

// keepCopy stores a copy of a letter that is for a sink, where the target asks for one. The copy
// comes first: when the process dies in between, NATS drops the second copy, which is the same work,
// while a sink that was first would get the event twice. A sink that refuses for long gets it again
// when NATS has forgotten the first copy; so the letter remembers that its copy is stored.
//
// A copy that has no room is left out, and the sink gets the letter: the sink is where the letter
// ends, and a stream that nobody empties must not keep letters from it. While the store is away the
// letter waits: its message could not be acknowledged either, and the sink would get it twice.
func (r *runner) keepCopy(t *task) error {
	if r.target.DeadLetter == nil || !r.target.DeadLetterCopy || t.Failure.Copied {
		return nil
	}
	err := r.ports.Store.DeadLetter(r.ports.requests, r.target, t.Work)
	if errors.Is(err, ErrLettersFull) || errors.Is(err, ErrTooLarge) {
		r.log.Warn("no copy of the dead letter is kept", "sequence", t.Sequence, "error", err)
		return nil
	}
	failure := *t.Failure
	failure.Copied = err == nil
	t.Failure = &failure
	return err
}

// deadLetter makes one try to send or to store the dead letter.
func (r *runner) deadLetter(w Work) error {
	if r.target.DeadLetter == nil {
		return r.ports.Store.DeadLetter(r.ports.requests, r.target, w)
	}
	response := r.send(*r.target.DeadLetter, withFailure(w))
	if response.Err == nil && !isSuccess(response.StatusCode) {
		return fmt.Errorf("status %d", response.StatusCode)
	}
	return response.Err
}

// failure describes why the event is given up.
func (r *runner) failure(w Work, o outcome) *Failure {
	body := o.response.Body
	if o.response.StatusCode < 1 {
		body = delivery.ErrorBody(o.Reason)
	}
	return &Failure{
		Destination: r.destination(w).URL,
		Code:        max(o.response.StatusCode, 0),
		Body:        append([]byte(nil), body[:min(len(body), maxFailureBody)]...),
		Reason:      o.Reason,
		Attempts:    w.Attempt + 1,
	}
}

// withFailure returns the event with the attributes that tell a dead letter sink why it comes. An
// event that has them already was a dead letter before, and still tells of its first failure. The
// hop count stays: a sink may be a Broker, even this one.
func withFailure(w Work) event.Event {
	e := w.Event
	for _, a := range delivery.FailureAttributes(w.Failure.Destination, w.Failure.Code, w.Failure.Body) {
		if _, has := e.Get(a.Name); !has {
			e = e.With(a.Name, a.Value)
		}
	}
	return e
}
