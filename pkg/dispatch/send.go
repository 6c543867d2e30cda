package dispatch

import (
	"context"
	"fmt"
	"time"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/body"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/delivery"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/event"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/route"
)

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

// sendDeadLetter makes one request to the dead letter sink. It returns an error unless the sink
// accepts the event.
func (r *runner) sendDeadLetter(w Work) error {
	response := r.send(*r.target.DeadLetter, withFailure(w))
	if response.Err == nil && !isSuccess(response.StatusCode) {
		return fmt.Errorf("status %d", response.StatusCode)
	}
	return response.Err
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

func isSuccess(code int) bool { return code >= 200 && code <= 299 }
