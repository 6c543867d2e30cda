package dispatch

import (
	"context"
	"time"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/delivery"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/event"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/route"
)

// sendToSubscriber sends the event as it is to leave the address: as it came from a Channel, and from a Broker without the hop
// count. It returns the hops that a reply to a Broker may still make.
func (r *runner) sendToSubscriber(e event.Event) (response Response, hops int) {
	if !r.isChannel() {
		e, hops = event.Depart(e)
	}
	return r.send(*r.target.Endpoint(), e), hops
}

// send makes one request, bounded by the delivery spec's timeout and by the end of the drain.
func (r *runner) send(to route.Destination, e event.Event) Response {
	ctx, cancel := context.WithTimeout(r.cutoff, r.target.Delivery.RequestTimeout())
	defer cancel()
	begin := time.Now()
	response := r.ports.sender.Send(ctx, Request{
		To:        to,
		Event:     e,
		Namespace: r.target.Key.Namespace,
		JSON:      r.target.Delivery.Format == delivery.JSONFormat,
	})
	r.ports.metrics.sent(r.target, e, response, time.Since(begin))
	if !isSuccess(response.StatusCode) {
		response.Body = event.DecodeHead(response.Header, response.Body, maxFailureBody)
	}
	return response
}

// deadLetter brings the event to the sink, or into the dead-letter stream when there is none. Only an accepted one is
// acknowledged; it is tried for ever, ever more slowly.
func (r *runner) deadLetter(t task) {
	accepted, err := r.sendToDeadLetters(t.Work)
	if accepted {
		r.lane.counts.deadLettered.Add(1)
		r.ack(t.Message)
		return
	}
	if r.cutoff.Err() != nil {
		r.lane.release(t.Message, 0)
		return
	}
	r.ports.log.Warn("dead letter is not accepted, it will be tried again",
		"target", r.target.Key.String(), "sequence", t.Sequence, "error", err)
	failure := *t.Failure
	delay := delivery.SinkBackoff(failure.SinkAttempts)
	failure.SinkAttempts++
	t.Failure = &failure
	r.later(t, delay)
}

// sendToDeadLetters reports whether the event is accepted, and if not, why.
func (r *runner) sendToDeadLetters(w Work) (bool, error) {
	if r.target.DeadLetter == nil {
		ctx, cancel := context.WithTimeout(r.cutoff, storeTimeout)
		defer cancel()
		err := r.ports.store.DeadLetter(ctx, r.target, w)
		return err == nil, err
	}
	response := r.send(*r.target.DeadLetter, withFailure(w))
	if response.Err != nil {
		return false, response.Err
	}
	return isSuccess(response.StatusCode), statusError(response.StatusCode)
}

// withFailure returns the event with the attributes that tell a dead letter sink why it comes. An event that has them already
// was a dead letter before, and still tells of its first failure. The hop count stays: a sink may be a Broker, even this one.
func withFailure(w Work) event.Event {
	e := w.Event
	for _, a := range delivery.FailureAttributes(w.Failure.Destination, w.Failure.Code, w.Failure.Body) {
		if _, has := e.Get(a.Name); !has {
			e = e.With(a.Name, a.Value)
		}
	}
	return e
}
