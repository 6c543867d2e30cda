package dispatch

import (
	"context"
	"errors"
	"net"
	"time"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/count"
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

// fails counts a failed attempt.
func (r *runner) fails(w Work, o outcome) {
	r.target.Counts.Fail(classOf(o.response), count.Failure{
		Code: max(o.response.StatusCode, 0), Message: o.Reason, Event: w.Event.Attr(event.ID),
	})
}

// classOf tells failures apart. A response with a status and an error is one whose reply is refused.
func classOf(response Response) count.Class {
	timeout, fromNetwork := errors.AsType[net.Error](response.Err)
	switch {
	case response.StatusCode > 0 && response.Err != nil:
		return count.Reply
	case response.StatusCode > 0:
		return count.StatusClass(response.StatusCode)
	case errors.Is(response.Err, context.DeadlineExceeded), fromNetwork && timeout.Timeout():
		return count.Timeout
	}
	return count.NoResponse
}

// destination is where the work's requests go until the event is given up.
func (r *runner) destination(w Work) *route.Destination {
	if w.Reply != nil {
		return r.target.Reply
	}
	return r.target.Endpoint()
}
