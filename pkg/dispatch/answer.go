package dispatch

import (
	"net/http"
	"time"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/delivery"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/event"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/route"
)

// A Channel's replies are sent on, to where the subscription says. The subscriber has done its part by then and is not asked again:
// a reply that is not accepted has as many attempts of its own as the delivery spec gives, and after them it is the event, not the
// reply, that is a dead letter. Source: knative.dev/eventing pkg/kncloudevents/event_dispatcher.go, and its conformance tests, which
// count the requests to both.

// answered goes on with an event that a Channel's subscriber has taken.
func (r *runner) answered(t task, response Response) {
	reply, found, err := r.answerIn(response)
	switch {
	case err != nil:
		response.StatusCode, response.Body = http.StatusBadGateway, nil
		r.conclude(t, r.target.Delivery.Decide(t.Attempt, delivery.Result{
			StatusCode: http.StatusBadGateway, Now: time.Now(), Err: err,
		}), response)
	case !found:
		r.conclude(t, delivery.Outcome{Action: delivery.Delivered}, response)
	default:
		r.ports.replied(r.target, reply)
		t.Reply, t.Attempt = &reply, 0
		r.sendReply(t)
	}
}

// answerIn returns the reply in the response of a Channel's subscriber. Other than a Broker's, this one may answer with anything:
// only what claims to be a CloudEvent is a reply, and has to be one if somebody is to get it.
func (r *runner) answerIn(response Response) (event.Event, bool, error) {
	if r.target.Subscriber == nil || !claimsEvent(response.Header) {
		return event.Event{}, false, nil
	}
	reply, found, err := replyIn(response)
	if r.target.Reply == nil {
		err = nil
	}
	return reply, found, err
}

func claimsEvent(header http.Header) bool {
	contentType := header.Get("Content-Type")
	return header.Get("Ce-Specversion") != "" || event.IsStructured(contentType) || event.IsBatch(contentType)
}

// sendReply makes one attempt to send the reply on. Where nobody wants it, or nobody any more, the event is delivered.
func (r *runner) sendReply(t task) {
	if r.target.Reply == nil || r.target.Subscriber == nil {
		r.conclude(t, delivery.Outcome{Action: delivery.Delivered}, Response{})
		return
	}
	response := r.send(*r.target.Reply, *t.Reply)
	if r.brokenOff(response) {
		r.lane.release(t.Message, 0)
		return
	}
	r.conclude(t, r.target.Delivery.Decide(t.Attempt, resultOf(response)), response)
}

// destination is where the task's requests go at present.
func (r *runner) destination(t task) string {
	if t.Reply != nil {
		return r.target.Reply.URL
	}
	return r.target.Endpoint().URL
}

// isChannel tells a Channel's target from a Broker's.
func (r *runner) isChannel() bool { return r.target.Key.Address.Kind == route.KindChannel }
