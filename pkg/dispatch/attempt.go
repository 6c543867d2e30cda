package dispatch

import (
	"context"
	"time"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/body"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/delivery"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/event"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/route"
)

// maxFailureBody is how many bytes of a response's body are kept with a failure: more than a dead
// letter sink is told.
const maxFailureBody = 1024

// outcome is the result of an attempt.
type outcome struct {
	// Outcome is the decision by the delivery spec. Its Action is 0 when the request was aborted.
	delivery.Outcome
	response Response
	// reply is set when the subscriber has replied: the event is delivered once the Broker's log
	// has stored the reply, or the Channel's reply destination has accepted it.
	reply *event.Event
}

// attempt makes the request that the work asks for: to the subscriber with the event, or to where
// a Channel's replies go with the reply. Nothing is durable when it returns: see settle.
func (r *runner) attempt(w Work) outcome {
	e, hops := w.Event, 0
	switch {
	case w.Reply != nil && (r.target.Reply == nil || r.target.Subscriber == nil):
		// Replies are no longer sent on. Without a subscriber Target.Reply gets the event itself.
		return outcome{Outcome: delivery.Outcome{Action: delivery.Delivered}}
	case w.Reply != nil:
		e = *w.Reply
	case !r.isChannel():
		e, hops = event.Depart(e)
	}
	response := r.send(*r.destination(w), e)
	if response.Err != nil && r.ports.requests.Err() != nil {
		return outcome{} // aborted, which says nothing about the destination
	}
	o := r.decide(w, response)
	switch {
	case o.Action != delivery.Delivered || w.Reply != nil:
		return o
	case r.isChannel():
		return r.channelReply(w, o)
	default:
		return r.brokerReply(w, hops, o)
	}
}

// send makes one request, bounded by the delivery spec's timeout and by the end of the drain.
func (r *runner) send(to route.Destination, e event.Event) Response {
	ctx, cancel := context.WithTimeout(r.ports.requests, r.target.Delivery.RequestTimeout())
	defer cancel()
	begin := time.Now()
	response := r.ports.Sender.Send(ctx, Request{
		To:        to,
		Event:     e,
		Namespace: r.target.Key.Namespace,
		JSON:      r.target.Delivery.Format == delivery.JSONFormat,
	})
	r.ports.metrics.sent(r.target, e, response, time.Since(begin))
	if !isSuccess(response.StatusCode) {
		response.Body = body.DecodeHead(response.Header, response.Body, maxFailureBody)
	}
	return response
}

// decide returns the outcome of a request for the work.
func (r *runner) decide(w Work, response Response) outcome {
	return outcome{response: response, Outcome: r.target.Delivery.Decide(w.Attempt, delivery.Result{
		StatusCode: response.StatusCode,
		RetryAfter: response.Header.Get("Retry-After"),
		Now:        time.Now(),
		Err:        response.Err,
		Body:       response.Body,
	})}
}

// refuse returns the outcome of a request whose reply is refused: a failed delivery, with the
// status that upstream's Broker would see.
func (r *runner) refuse(w Work, response Response, code int, err error) outcome {
	response.StatusCode, response.Err = code, err
	return r.decide(w, response)
}

// destination is where the work's requests go until the event is given up.
func (r *runner) destination(w Work) *route.Destination {
	if w.Reply != nil {
		return r.target.Reply
	}
	return r.target.Endpoint()
}

// isChannel tells a Channel's target from a Broker's.
func (r *runner) isChannel() bool { return r.key.Address.Kind == route.KindChannel }

func isSuccess(code int) bool { return code >= 200 && code <= 299 }
