package dispatch

import (
	"github.com/eventing-jetstream/eventing-jetstream/pkg/delivery"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/event"
)

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
